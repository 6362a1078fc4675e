package dev.luq.cli;

import static dev.luq.files.Units.MIB;

import dev.luq.catalog.DemoModel;
import dev.luq.machine.KvType;
import dev.luq.requant.measure.Agreement;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.measure.Score;
import dev.luq.requant.pipeline.ModelEvaluation;
import dev.luq.requant.pipeline.RequantizationException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code luq eval}: measures a model beside its base, or asks it a published benchmark. */
@Command(
        name = "eval",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares a model with its base on an evaluation set and counts its right answers; with"
                + " --benchmark, scores its answers to a published benchmark.")
final class EvalCommand implements Callable<Integer> {

    private static final String DEMO = "demo";
    private static final List<String> OF_COMPARISONS =
            List.of("--base", "--chat-template", "--evaluation", "--image-tokens", "--kv-cache-type", "--threads");

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            required = true,
            description = "demo, a GGUF, or the name of a model that was made by requantize; with --benchmark,"
                    + " demo, a GGUF, or its id at the server.")
    private String model;

    @Option(
            names = "--base",
            paramLabel = "MODEL",
            defaultValue = DEMO,
            description = "The model it is compared with: demo or a GGUF (default: ${DEFAULT-VALUE}).")
    private String base;

    @Option(
            names = "--mmproj",
            paramLabel = "GGUF",
            description = "Vision projector of a GGUF --base, none unless given; with --benchmark, of a GGUF --model.")
    private Path mmproj;

    @Option(
            names = "--chat-template",
            paramLabel = "TEMPLATE",
            description = "Chat template of both in place of their own: Jinja, or a name that llama.cpp has, such as"
                    + " vicuna.")
    private String chatTemplate;

    @Option(names = "--evaluation", paramLabel = "DIR", description = "Evaluation set; needed unless --base is demo.")
    private Path evaluation;

    @Mixin
    private DataOptions data;

    @Mixin
    private BenchmarkOptions benchmark;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--image-tokens",
            paramLabel = "N",
            defaultValue = "" + ServingOptions.IMAGE_TOKENS,
            description = "Tokens of the largest picture, luq.worker.image-max-tokens; 0: the model's own bound"
                    + " (default: ${DEFAULT-VALUE}).")
    private int imageTokens;

    @Option(
            names = "--kv-cache-type",
            paramLabel = "TYPE",
            defaultValue = "f16",
            description = "Number format of the model's KV cache, luq.worker.kv-cache-type: f16, q8_0 or f32; the base"
                    + " model's is f16 (default: ${DEFAULT-VALUE}).")
    private KvType kv;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Compute threads; 0: all processors.")
    private int threads;

    @Override
    public Integer call() {
        (benchmark.given() ? OF_COMPARISONS.stream() : ofBenchmarks()).forEach(this::refuse);
        if (benchmark.given()) {
            benchmark.run(model, mmproj, data);
            return 0;
        }
        compare();
        return 0;
    }

    private Stream<String> ofBenchmarks() {
        return spec.mixins().get("benchmark").options().stream().map(OptionSpec::longestName);
    }

    private void refuse(String option) {
        if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
            throw new ParameterException(
                    spec.commandLine(),
                    option + (benchmark.given() ? " does not go with --benchmark." : " needs --benchmark."));
        }
    }

    private void compare() {
        ModelOptions baseModel = ModelOptions.of(base, mmproj);
        Path set = baseModel.set("--evaluation", evaluation, DemoModel::evaluation);
        MachineKernels.know();
        ProgressBar bar = ProgressBar.forStandardError();
        try {
            ModelEvaluation.Result result = new ModelEvaluation(
                            data.folder(),
                            baseModel.modelFiles().paths(),
                            baseModel.mmprojFile(),
                            set,
                            imageTokens,
                            Optional.ofNullable(chatTemplate),
                            kv,
                            threads)
                    .run(
                            subject(),
                            share -> bar.progress(share, OptionalLong.empty()),
                            () -> bar.message("waiting for another job with this data folder"));
            bar.clear();
            System.out.printf("%-12s %s%n", "model", model);
            System.out.printf(
                    Locale.ROOT,
                    "%-12s %.2f MiB, %.2f bits per weight%n",
                    "weights",
                    result.tensorBytes() / MIB,
                    result.bitsPerWeight());
            print(result.quality(), Optional.of(result.baseQuality()));
        } catch (RequantizationException e) {
            bar.clear();
            throw new CliException(e.getMessage(), e);
        }
    }

    private ModelEvaluation.Target subject() {
        if (model.equals(DEMO) || Files.exists(Path.of(model))) {
            return new ModelEvaluation.Target.OfFiles(
                    ModelOptions.of(model, mmproj).modelFiles().paths());
        }
        return new ModelEvaluation.Target.OfStore(model);
    }

    /** @param base the base model's, for its right answers */
    static void print(Quality quality, Optional<Quality> base) {
        System.out.println();
        System.out.printf(
                "%-22s %9s %10s %10s %10s %9s%n",
                "answer positions", "count", "mean KLD", "error", "p99 KLD", "same top");
        for (Map.Entry<String, Agreement> row : List.of(
                Map.entry("after an image", quality.image()),
                Map.entry("text only", quality.text()),
                Map.entry("all", quality.all()))) {
            Agreement a = row.getValue();
            System.out.printf(
                    Locale.ROOT,
                    "%-22s %9d %10.5f %10.5f %10.5f %7.1f %%%n",
                    row.getKey(),
                    a.positions(),
                    a.meanKld(),
                    a.meanKldError(),
                    a.p99Kld(),
                    100 * a.top1());
        }
        System.out.println();
        System.out.printf("%-22s %9s %10s %10s%n", "exact match", "asked", "right", "base");
        quality.exactMatch()
                .forEach((category, score) ->
                        printScore(category, score, base.map(q -> q.exactMatch().get(category))));
        printScore("all", quality.exactMatchAll(), base.map(Quality::exactMatchAll));
        if (quality.skipped() > 0) {
            System.out.println(quality.skipped() + " examples were too long and left out.");
        }
        System.out.println();
    }

    private static void printScore(String name, Score score, Optional<Score> base) {
        System.out.printf(
                Locale.ROOT,
                "%-22s %9d %8.1f %% %10s%n",
                name,
                score.asked(),
                100 * score.share(),
                base.map(s -> String.format(Locale.ROOT, "%.1f %%", 100 * s.share()))
                        .orElse(""));
    }
}
