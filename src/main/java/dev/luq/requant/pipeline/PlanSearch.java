package dev.luq.requant.pipeline;

import dev.luq.files.JsonFile;
import dev.luq.gguf.GgmlType;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.rank.CostPosterior;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/**
 * Looks for an allocation that is nearer to the base than those of the methods, within a time: plan after plan is measured,
 * and each corrects what the matrices are taken to cost. By turns a plan is the best one by the costs as they are expected
 * now, which swaps the types of a few matrices, and the best one by costs drawn from what they may be (Thompson sampling),
 * so that none is overlooked. The plans are the same ones for a seed; how many of them there are depends on the time. An
 * interrupted search goes on: what was measured is in the cache, and how long it took is in the job's folder.
 */
final class PlanSearch {

    /** Draws in a row that give plans which were measured before, after which nothing is left to find. */
    private static final int FRUITLESS = 100;

    private static final double NANOS = 1e9;

    /**
     * A plan that was measured.
     *
     * @param kld mean KL divergence from the base, in nats
     */
    record Trial(Candidate candidate, double kld) {}

    /**
     * What the search found.
     *
     * @param best the nearest of its plans; empty when it had none
     * @param trials plans that it measured
     */
    record Result(Optional<Trial> best, int trials) {}

    /**
     * {@code search.json} of the job's folder.
     *
     * @param basis what they were measured on
     * @param trials plans measured so far
     * @param seconds that they took
     */
    @RegisterForReflection
    record Progress(String basis, int trials, double seconds) {
        private static final String FILE = "search.json";

        /** What was measured on something else does not count. */
        private static Progress read(Path jobFolder, String basis) {
            return JsonFile.read(jobFolder.resolve(FILE), Progress.class)
                    .filter(progress -> basis.equals(progress.basis()))
                    .orElse(new Progress(basis, 0, 0));
        }

        private void write(Path jobFolder) {
            JsonFile.write(jobFolder.resolve(FILE), this);
        }
    }

    private final Planner planner;
    private final CostPosterior posterior;
    private final SplittableRandom random;
    private final Path jobFolder;
    private final String basis;
    private final LongSupplier nanoTime;
    private final Set<Map<String, GgmlType>> seen = new HashSet<>();

    /**
     * @param costs of the matrices as they were measured
     * @param jobFolder where it notes how far it came
     * @param basis identity by content of what plans are measured on
     */
    PlanSearch(Planner planner, MatrixCosts costs, long seed, Path jobFolder, String basis, LongSupplier nanoTime) {
        this.planner = planner;
        this.posterior = new CostPosterior(costs);
        this.random = new SplittableRandom(seed);
        this.jobFolder = jobFolder;
        this.basis = basis;
        this.nanoTime = nanoTime;
    }

    /**
     * @param known plans that were measured before
     * @param budget of size
     * @param seconds that it may take, beyond the measurement at work when they are over
     * @param kld measures a plan
     * @param progress hears the share of the time
     */
    Result run(
            List<Trial> known,
            Budget budget,
            Precision projector,
            double seconds,
            ToDoubleFunction<Plan> kld,
            JobProgress progress) {
        known.forEach(this::learn);
        Progress earlier = Progress.read(jobFolder, basis);
        double taken = earlier.seconds();
        Optional<Trial> best = Optional.empty();
        int trials = 0;
        while (trials < earlier.trials() || taken < seconds) {
            progress.check();
            long begun = nanoTime.getAsLong();
            Optional<Candidate> next = next(trials, budget, projector);
            if (next.isEmpty()) {
                break;
            }
            Trial trial = new Trial(next.get(), kld.applyAsDouble(next.get().plan()));
            learn(trial);
            best = Optional.of(best.filter(b -> b.kld() <= trial.kld()).orElse(trial));
            trials++;
            if (trials > earlier.trials()) {
                taken += (nanoTime.getAsLong() - begun) / NANOS;
                new Progress(basis, trials, taken).write(jobFolder);
            }
            progress.report(Math.min(1, taken / seconds));
        }
        return new Result(best, trials);
    }

    private void learn(Trial trial) {
        Map<String, GgmlType> types = planner.types(trial.candidate().plan());
        seen.add(types);
        posterior.observe(types, trial.kld());
    }

    /** A plan that was not measured yet. */
    private Optional<Candidate> next(int trial, Budget budget, Precision projector) {
        if (trial % 2 == 0) {
            Candidate expected = planner.allocation(posterior.expected(), budget, projector);
            if (!seen.contains(expected.plan().matrices())) {
                return Optional.of(expected);
            }
        }
        for (int draw = 0; draw < FRUITLESS; draw++) {
            Candidate drawn = planner.allocation(posterior.draw(random), budget, projector);
            if (!seen.contains(drawn.plan().matrices())) {
                return Optional.of(drawn);
            }
        }
        return Optional.empty();
    }
}
