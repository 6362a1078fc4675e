package dev.luq.cli;

import static dev.luq.files.Units.MIB;

import dev.luq.catalog.DemoModel;
import dev.luq.files.DataFolder;
import dev.luq.files.JsonFile;
import dev.luq.files.ProcessLock;
import dev.luq.files.Sha256;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.pipeline.RequantizationException;
import dev.luq.requant.pipeline.RequantizationJob;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.report.Report;
import dev.luq.requant.spec.JobStatus;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.spec.RequantizationSpec.Calibration;
import dev.luq.requant.spec.RequantizationSpec.Output;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import dev.luq.requant.spec.RequantizationSpec.Search;
import dev.luq.requant.spec.RequantizationSpec.Sets;
import dev.luq.requant.spec.RequantizationSpec.Source;
import dev.luq.requant.spec.SpecException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq requantize}: runs a re-quantization in this process. */
@Command(
        name = "requantize",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Makes a model of a smaller size: calibrates, ranks the layers, plans, quantizes, measures, publishes.",
        footer = {
            "",
            "Budgets: 60%% (of Q4_K_M's weights), 3GiB (everything that serving takes), weights:800MiB, 2.5bpw,"
                    + " kld:0.05, accuracy:0.9. The same command after an interruption goes on where it stopped."
        })
final class RequantizeCommand implements Callable<Integer> {

    /** Of the wish's digest in a name made from it. */
    private static final int NAME_DIGITS = 6;

    @Mixin
    private ModelOptions model;

    @Option(
            names = {"--memory", "--budget"},
            paramLabel = "BUDGET",
            description = "What the result may take (default, with --speed: what the model takes).")
    private String budget;

    @Option(
            names = "--speed",
            paramLabel = "TOKENS",
            description =
                    "Tokens per second that one answer alone is generated at, at least, on this machine; alone, or"
                            + " with a budget of size.")
    private Double speed;

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            defaultValue = "best",
            description = "best, allocation, ladder, uniform, kld, error, entropy or entropy-normed-input (default:"
                    + " ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private LevelOptions levels;

    @Option(
            names = "--chat-template",
            paramLabel = "TEMPLATE",
            description = "Chat template of prompts in place of the model's own, as it will be served: Jinja, or a name"
                    + " that llama.cpp has, such as vicuna.")
    private String chatTemplate;

    @Option(
            names = "--calibration",
            paramLabel = "DIR",
            description = "Calibration set; needed unless --model is demo.")
    private Path calibration;

    @Option(names = "--evaluation", paramLabel = "DIR", description = "Evaluation set; needed unless --model is demo.")
    private Path evaluation;

    @Option(
            names = "--evaluation-examples",
            paramLabel = "N",
            defaultValue = "0",
            description = "Examples of it used; 0: all (default: ${DEFAULT-VALUE}).")
    private int evaluationExamples;

    @Option(
            names = "--calibration-examples",
            paramLabel = "N",
            defaultValue = "256",
            description = "Examples of the calibration set used; 0: all (default: ${DEFAULT-VALUE}).")
    private int calibrationExamples;

    @Option(
            names = "--alpha",
            paramLabel = "A",
            defaultValue = "0.75",
            description = "Weight of images in the importance matrix, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private double alpha;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of sampling (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--search",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description = "Searches so long for a plan that is nearer to the base than those of the methods; needs a"
                    + " budget of size and the method best or allocation, and does not go with --speed"
                    + " (default: ${DEFAULT-VALUE}).")
    private int search;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the result (default: made from model and budget).")
    private String name;

    @Option(
            names = "--compare",
            paramLabel = "WHAT",
            arity = "0..1",
            fallbackValue = "full",
            defaultValue = "brief",
            description = "Also measures every method, uniform types, other orders and calibrations:"
                    + " a page with pictures, minutes of work. With sizes: the method and the paper's beside the"
                    + " uniform types.")
    private Scope compare;

    @Mixin
    private ServingOptions serving;

    @Mixin
    private ActivationOptions activation;

    @Override
    public Integer call() {
        activation.requireUsed();
        DataFolder data = model.data();
        RequantizationSpec spec = spec();
        Path folder = data.job(spec.output().manifestId());
        begun(folder, spec); // who wishes something else need not wait to hear it
        Report report;
        try (ProcessLock alone = lock(folder)) {
            beginOrResume(folder, spec);
            MachineKernels.know();
            report = run(data, folder);
        }
        print(report, folder);
        activation.activate(data, model.id(), report.manifestId());
        return 0;
    }

    /** Of two equal commands one works; the other waits, and finds what the first has done. */
    private static ProcessLock lock(Path folder) {
        try {
            Files.createDirectories(folder);
            return ProcessLock.take(
                            folder.resolve(RequantizationJob.LOCK),
                            () -> false,
                            () -> System.err.println("luq: waiting for another process that works on this job"))
                    .orElseThrow();
        } catch (IOException e) {
            throw new CliException("Cannot write " + folder + ".", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("The command was interrupted.", e);
        }
    }

    private RequantizationSpec spec() {
        try {
            ModelFiles files = model.modelFiles();
            RequantizationSpec spec = new RequantizationSpec(
                    RequantizationSpec.VERSION,
                    new Source(
                            model.id(),
                            files.paths().stream().map(Path::toString).toList(),
                            model.mmprojFile().map(Path::toString),
                            Optional.ofNullable(chatTemplate)),
                    new Sets(
                            model.set("--calibration", calibration, DemoModel::calibration)
                                    .toString(),
                            model.set("--evaluation", evaluation, DemoModel::evaluation)
                                    .toString(),
                            evaluationExamples),
                    budget(files),
                    Optional.ofNullable(speed),
                    Method.parse(method),
                    levels.levels(),
                    new Calibration(alpha, seed, calibrationExamples, Calibration.DEFAULT.tuning()),
                    new Search(search),
                    serving.shape(ModelFacts.of(files)),
                    serving.threads(),
                    new Output("unnamed", Instant.EPOCH, compare));
            spec.requirePossible(new Planner(files, model.mmprojFiles(), spec.serving()));
            return spec.named(
                    name != null ? name : defaultName(spec), Instant.now().truncatedTo(ChronoUnit.SECONDS));
        } catch (SpecException | PlanException | GgufException e) {
            throw new CliException(e.getMessage(), e);
        }
    }

    private Budget budget(ModelFiles files) {
        if (budget == null && speed == null) {
            throw new CliException("Say what the result may take with --memory, or how fast it must be with --speed.");
        }
        return budget == null ? new Budget.Weights(files.tensorBytes()) : Budget.parse(budget);
    }

    /** The same wish has the same name, so that the same command finds its job again, unless it would now end otherwise. */
    private String defaultName(RequantizationSpec spec) {
        return Output.name(
                model.name(),
                spec.budget(),
                Sha256.hex((RequantizationJob.RECIPE
                                        + new String(JsonFile.bytes(spec.onAnyProcessors()), StandardCharsets.UTF_8))
                                .getBytes(StandardCharsets.UTF_8))
                        .substring(0, NAME_DIGITS));
    }

    /** Whether the job was begun before; one of the same name that asks for something else is refused. */
    private static boolean begun(Path folder, RequantizationSpec wanted) {
        if (!Files.exists(folder.resolve("spec.json"))) {
            return false;
        }
        RequantizationSpec begun = read(() -> RequantizationSpec.read(folder));
        if (!wanted.asksTheSameAs(begun)) {
            throw new CliException(
                    "There is another job named " + begun.output().manifestId() + "; choose another --name.");
        }
        return true;
    }

    /** Writes what the job is to do into its folder, or goes on with the same job that was begun before. */
    private static void beginOrResume(Path folder, RequantizationSpec wanted) {
        if (!begun(folder, wanted)) {
            wanted.write(folder);
            return;
        }
        boolean done = read(() -> JobStatus.read(folder))
                .filter(status -> status.state() == JobStatus.State.SUCCEEDED)
                .isPresent();
        System.err.println(done ? "luq: this job was done before" : "luq: going on with a job that was interrupted");
    }

    private static <T> T read(Supplier<T> file) {
        try {
            return file.get();
        } catch (SpecException e) {
            throw new CliException(e.getMessage(), e);
        }
    }

    private static Report run(DataFolder data, Path folder) {
        AtomicBoolean cancelled = new AtomicBoolean();
        try (CleanEnd end = new CleanEnd(() -> cancelled.set(true))) {
            return run(data, folder, cancelled::get);
        }
    }

    private static Report run(DataFolder data, Path folder, BooleanSupplier cancelled) {
        ProgressBar bar = ProgressBar.forStandardError();
        try {
            return new RequantizationJob(data, folder).run(new RequantizationJob.Listener() {
                @Override
                public void phase(Phase phase) {
                    bar.phase(phase);
                }

                @Override
                public void progress(double overall, OptionalLong secondsLeft) {
                    bar.progress(overall, secondsLeft);
                }

                @Override
                public void message(String text) {
                    bar.message(text);
                }

                @Override
                public boolean cancelled() {
                    return cancelled.getAsBoolean();
                }
            });
        } catch (RequantizationException e) {
            bar.clear();
            throw new CliException(e.getMessage(), e);
        } finally {
            bar.clear();
        }
    }

    private static void print(Report report, Path folder) {
        Quality quality = report.quality();
        print("model", report.manifestId() + ", by " + report.chosen());
        print(
                "weights",
                String.format(
                        Locale.ROOT,
                        "%.2f MiB, %.1f %% of Q4_K_M, %.2f bits per weight",
                        report.published().weightBytes() / MIB,
                        100 * report.published().ratioToQ4KM(),
                        report.published().bitsPerWeight()));
        print(
                "memory",
                String.format(
                        Locale.ROOT,
                        "%.0f MiB when served, estimated",
                        report.published().memory().total() / MIB));
        report.speed()
                .ifPresent(reached -> print(
                        "speed",
                        String.format(
                                Locale.ROOT,
                                "%.1f tokens/s measured, %.1f wanted",
                                reached.measured(),
                                reached.wanted())));
        List<String> layers =
                report.published().plan().layers().stream().map(Precision::name).toList();
        print("layers", String.join(" ", layers));
        print("matrices", report.types().text());
        if (report.types().narrow() > 0) {
            print(
                    "",
                    report.types().narrow() + " of them have rows that are no whole blocks of 256 weights: no type of"
                            + " fewer than four bits is for them");
        }
        EvalCommand.print(quality, report.baseQuality());
        JobStatus.read(folder).ifPresent(status -> System.err.println("luq: seconds: " + times(status.phaseSeconds())));
        print("report", folder.resolve(RequantizationJob.PAGE).toString());
    }

    /** By phase, and without the evaluation: how long it takes to a published model. */
    static String times(Map<Phase, Double> seconds) {
        String phases = seconds.entrySet().stream()
                .map(e ->
                        String.format(Locale.ROOT, "%s %.1f", e.getKey().name().toLowerCase(Locale.ROOT), e.getValue()))
                .collect(Collectors.joining(", "));
        double published = seconds.entrySet().stream()
                .filter(e -> e.getKey() != Phase.EVALUATE && e.getKey() != Phase.COMPARE)
                .mapToDouble(Map.Entry::getValue)
                .sum();
        return String.format(Locale.ROOT, "%s; published after %.1f and its evaluation", phases, published);
    }

    private static void print(String label, String value) {
        System.out.printf("%-12s %s%n", label, value);
    }
}
