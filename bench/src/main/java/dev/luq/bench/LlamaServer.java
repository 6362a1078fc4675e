package dev.luq.bench;

import dev.luq.cli.CliException;
import dev.luq.cli.ServerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** llama.cpp's own server in a process. */
final class LlamaServer {

    private LlamaServer() {}

    /**
     * How a model is served.
     *
     * @param mmproj its vision projector, if any
     * @param threads for prompts, generation and pictures
     * @param slots sequences at once
     * @param context tokens of KV cache, shared by all slots
     * @param further options as on its command line
     */
    record Options(Path model, Optional<Path> mmproj, int threads, int slots, int context, List<String> further) {

        /** Slots share one KV cache, which is llama-server's default where it chooses the slots itself. */
        List<String> arguments() {
            List<String> arguments = new ArrayList<>(List.of("--model", model.toString()));
            mmproj.ifPresent(file -> arguments.addAll(List.of("--mmproj", file.toString())));
            arguments.addAll(List.of(
                    "--threads",
                    Integer.toString(threads),
                    "--parallel",
                    Integer.toString(slots),
                    "--ctx-size",
                    Integer.toString(context),
                    "--kv-unified",
                    "--no-webui"));
            arguments.addAll(further);
            return arguments;
        }
    }

    /**
     * Starts a server and waits until it is ready.
     *
     * @param program the file llama-server
     * @throws CliException with the end of the server's log when it does not become ready
     */
    static ServerProcess start(Path program, Options options, Duration timeout) {
        return ServerProcess.start(
                port -> {
                    List<String> command = new ArrayList<>(
                            List.of(program.toString(), "--host", "127.0.0.1", "--port", Integer.toString(port)));
                    command.addAll(options.arguments());
                    return command;
                },
                "/health",
                timeout);
    }
}
