package dev.luq.bench;

import dev.luq.cli.ModelOptions;
import dev.luq.cli.ServerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which model a measurement serves, and with which settings. */
final class ServedModel {

    /** How long a server may take to start, and no longer. */
    static final Duration START = Duration.ofMinutes(10);

    @Option(
            names = "--model",
            paramLabel = "GGUF",
            defaultValue = "demo",
            description = "Model to serve (default: the demo model).")
    private String model;

    @Option(names = "--mmproj", paramLabel = "GGUF", description = "Its vision projector.")
    private Path mmproj;

    @Option(
            names = "-D",
            paramLabel = "KEY=VALUE",
            description = "A setting of our server, such as -Dluq.worker.kernels=stock; may be given again.")
    private Map<String, String> settings = new LinkedHashMap<>();

    /** The model that was asked for. */
    ModelOptions model() {
        return ModelOptions.of(model, mmproj);
    }

    /**
     * Starts this server and waits until it is ready.
     *
     * @param served the model that was asked for, or one in its place
     * @param data its data folder
     * @param own settings of the measurement, which those that were asked for override
     */
    ServerProcess start(ModelOptions served, Path data, Map<String, String> own) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("luq.data-dir", data.toString());
        all.putAll(own);
        all.putAll(settings);
        List<String> arguments =
                new ArrayList<>(List.of("--model", served.modelFile().toString()));
        served.mmprojFile().ifPresent(file -> arguments.addAll(List.of("--mmproj", file.toString())));
        all.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
        return ServerProcess.start(arguments, START);
    }
}
