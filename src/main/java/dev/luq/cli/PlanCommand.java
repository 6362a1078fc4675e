package dev.luq.cli;

import static dev.luq.files.Units.MIB;

import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.memory.MemoryEstimate;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import dev.luq.requant.spec.SpecException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code luq plan}: sizes and memory of every number of low layers, from the files' headers alone. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Shows size and memory of the model with every number of low layers, without quantizing anything.",
        footer = {
            "",
            "Layers go low in the model's order here; which ones do changes the sizes little, and requantize"
                    + " decides it."
        })
final class PlanCommand implements Callable<Integer> {

    @Mixin
    private ModelOptions model;

    @Option(
            names = {"--memory", "--budget"},
            paramLabel = "BUDGET",
            description = "Marks what a budget of size allows.")
    private String budget;

    @Mixin
    private LevelOptions levels;

    @Mixin
    private ServingOptions serving;

    @Override
    public Integer call() {
        try {
            ModelFiles files = model.modelFiles();
            ServingShape shape = serving.shape(ModelFacts.of(files));
            Planner planner = new Planner(files, model.mmprojFiles(), shape);
            Levels of = levels.levels();
            List<Candidate> candidates =
                    planner.twoLevel(inOrder(planner.layerCount()), of.low(), of.high(), of.high(), of.mmproj());
            Optional<Candidate> chosen =
                    budget == null ? Optional.empty() : Optional.of(planner.choose(candidates, size(budget)));
            print(candidates, of, chosen, shape);
            printNarrow(planner);
            return 0;
        } catch (PlanException | SpecException | GgufException e) {
            throw new CliException(e.getMessage(), e);
        }
    }

    private static Budget size(String text) {
        Budget budget = Budget.parse(text);
        if (!budget.isOfSize()) {
            throw new CliException("A budget of quality is met by measuring: ask requantize.");
        }
        return budget;
    }

    private static Ranking inOrder(int layers) {
        List<Double> scores = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            scores.add((double) i);
        }
        return Ranking.ascending(RankingMethod.DEPTH, scores, Map.of());
    }

    private static void printNarrow(Planner planner) {
        int narrow = planner.narrowMatrices();
        if (narrow > 0) {
            System.out.printf(
                    "%n%d matrices have rows that are no whole blocks of 256 weights: no type of fewer than four bits"
                            + " is for them, whatever their layer's precision.%n",
                    narrow);
        }
    }

    private void print(List<Candidate> candidates, Levels of, Optional<Candidate> chosen, ServingShape shape) {
        System.out.printf(
                "%s: k of %d layers %s, the rest %s; memory with kernels %s and pictures of %d tokens; sizes in"
                        + " MiB%n%n",
                model.id(),
                candidates.size() - 1,
                of.low(),
                of.high(),
                shape.kernels().configName(),
                shape.imageTokens());
        System.out.printf(
                "%3s %10s %8s %6s   %10s %10s %10s %10s %10s %10s%n",
                "k", "weights", "Q4_K_M", "bits", "memory", "weights", "projector", "KV cache", "compute", "processes");
        for (int k = 0; k < candidates.size(); k++) {
            Candidate c = candidates.get(k);
            MemoryEstimate m = c.memory();
            System.out.printf(
                    Locale.ROOT,
                    "%3d %10.2f %6.1f %% %6.2f   %10.1f %10.1f %10.1f %10.1f %10.1f %10.1f%s%n",
                    k,
                    c.weightBytes() / MIB,
                    100 * c.ratioToQ4KM(),
                    c.bitsPerWeight(),
                    m.total() / MIB,
                    m.weights() / MIB,
                    m.mmproj() / MIB,
                    m.kvCache() / MIB,
                    m.compute() / MIB,
                    m.processes() / MIB,
                    chosen.filter(c::equals).isPresent() ? "  <- " + budget : "");
        }
    }
}
