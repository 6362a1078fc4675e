package dev.luq.cli;

import dev.luq.catalog.DemoModel;
import dev.luq.files.DataFolder;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model a command is about, and where data lies. */
public final class ModelOptions {

    private static final String DEMO = "demo";

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            required = true,
            description = "demo, or a GGUF of type F16, BF16 or Q8_0.")
    private String model;

    @Option(names = "--mmproj", paramLabel = "GGUF", description = "Its vision projector.")
    private Path mmproj;

    @Option(names = "--id", paramLabel = "ID", description = "The model's id at the server (default: the file's name).")
    private String id;

    @Mixin
    private final DataOptions data = new DataOptions();

    /** The same from texts. */
    public static ModelOptions of(String model, Path mmproj) {
        ModelOptions options = new ModelOptions();
        options.model = model;
        options.mmproj = mmproj;
        return options;
    }

    public boolean isDemo() {
        return model.equals(DEMO);
    }

    /** As the server has it. */
    public String id() {
        return id != null ? id : isDemo() ? DemoModel.ID : ModelFiles.nameOf(modelFile());
    }

    /** Short name for what is made of it. */
    public String name() {
        return isDemo() ? DEMO : id();
    }

    /**
     * Absolute.
     *
     * @throws CliException there is no such file
     */
    public Path modelFile() {
        return isDemo() ? demo(DemoModel::model) : existing("--model", Path.of(model));
    }

    /** @throws CliException there is no such file, or the demo model is to have another than its own */
    public Optional<Path> mmprojFile() {
        if (!isDemo()) {
            return Optional.ofNullable(mmproj).map(file -> existing("--mmproj", file));
        }
        if (mmproj != null) {
            throw new CliException(
                    "The demo model has a projector of its own: leave --mmproj out, or give both files.");
        }
        return Optional.of(demo(DemoModel::mmproj));
    }

    /**
     * A folder of examples: the one given, or the demo model's own.
     *
     * @param option its option
     * @param given null when the option is absent
     * @param demo which of the demo model's folders
     */
    public Path set(String option, Path given, Function<DemoModel, Path> demo) {
        if (given != null) {
            return existing(option, given);
        }
        if (!isDemo()) {
            throw new CliException(option
                    + " is needed: a folder with .jsonl files of questions and answers, beside their" + " images.");
        }
        return demo(demo);
    }

    public DataFolder data() {
        return data.folder();
    }

    private static Path demo(Function<DemoModel, Path> part) {
        return existing(
                "the demo model",
                part.apply(new DemoModel(Path.of(System.getProperty("luq.demo-dir", "models/demo")))));
    }

    private static Path existing(String option, Path path) {
        if (!Files.exists(path)) {
            throw new CliException(option + ": there is no " + path + ".");
        }
        return path.toAbsolutePath().normalize();
    }

    /**
     * The model's files, all parts of a split one.
     *
     * @throws CliException they cannot be read
     */
    public ModelFiles modelFiles() {
        return read(modelFile());
    }

    /**
     * The projector's.
     *
     * @throws CliException it cannot be read
     */
    public Optional<ModelFiles> mmprojFiles() {
        return mmprojFile().map(ModelOptions::read);
    }

    private static ModelFiles read(Path file) {
        try {
            return ModelFiles.read(file);
        } catch (IOException e) {
            throw new CliException("Cannot read " + file + ".", e);
        } catch (GgufException e) {
            throw new CliException(file + ": " + e.getMessage(), e);
        }
    }
}
