package dev.luq.requant.pipeline;

import dev.luq.gguf.LayeredModel;
import dev.luq.machine.KernelTable;
import dev.luq.machine.Processors;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.Pace;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.report.Report;
import dev.luq.requant.speed.MeasuredTimes;
import dev.luq.requant.speed.Speedometer;
import dev.luq.requant.speed.TokenTimes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * Finds a plan that generates as many tokens per second as are asked for. The plan for the budget alone is made and
 * measured first. If it is too slow, what measured plans took longer than this machine's kernels let expect is expected of
 * other plans too, and the next one is chosen by that, until one keeps the pace and has little speed too much.
 */
final class PaceKeeper {

    private static final int ROUNDS = 6;
    /** Of the speed asked for, what a measurement may miss: two of the same model differ by as much. */
    private static final double NOISE = 0.02;
    /** Of the speed asked for, what is measured once more where a plan is too slow: processes differ, some are slower. */
    private static final double CLOSE = 0.8;
    /** What a plan may have too much without another one being looked for. */
    private static final double TOO_MUCH = 0.05;
    /** Of the fastest plan's speed, what it keeps for sure. */
    private static final double NEARLY = 0.995;

    private final Planner planner;
    private final Speedometer meter;
    private final JobInputs inputs;
    private final double wanted;

    /** Plans are chosen by this one; it knows how fast they are expected to be, once one was measured. */
    private Planner paced;

    /** A plan that was made. */
    private record Measured(ChosenPlan plan, double expected, double tokensPerSecond) {}

    /** @param wanted tokens per second */
    PaceKeeper(Planner planner, ServingShape serving, JobInputs inputs, double wanted) {
        this.planner = planner;
        this.meter = new Speedometer(serving.kernels(), serving.threads());
        this.inputs = inputs;
        this.wanted = wanted;
    }

    /**
     * @param choosers makes what chooses plans by a planner
     * @param evaluator makes the models that are measured
     * @throws PlanException.Impossible no plan is fast enough by what is expected
     * @throws RequantizationException.Failed none of those measured was
     */
    ChosenPlan decide(
            Function<Planner, PlanChooser> choosers,
            PlanEvaluator evaluator,
            KeyedImatrix matrix,
            JobProgress progress) {
        double bytesPerSecond = Cancellable.run(progress::cancelled, meter::bytesPerSecond);
        TokenTimes expectation = expectation(bytesPerSecond);
        Planner unmeasured = planner.at(new Pace(wanted, 0, expectation::seconds));
        MeasuredTimes times = new MeasuredTimes();
        List<Measured> measured = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            JobProgress part = progress.part(round, ROUNDS);
            Pace pace = pace(expectation, times.line());
            paced = planner.at(pace);
            Optional<ChosenPlan> next = next(choosers, pace, measured, part.part(0, 0.5));
            if (next.isEmpty()) {
                break;
            }
            Plan plan = next.get().candidate().plan();
            double expected = paced.speed(plan).orElseThrow();
            double found = measure(next.get().candidate(), evaluator, matrix, part.part(0.5, 1));
            times.add(1 / unmeasured.speed(plan).orElseThrow(), 1 / found);
            Measured last = new Measured(next.get(), expected, found);
            measured.add(last);
            if (keepsPace(last) && (round == 0 || found <= (1 + TOO_MUCH) * wanted)) {
                break;
            }
        }
        MeasuredTimes.Line line = times.line();
        ChosenPlan.Expected others = new ChosenPlan.Expected(bytesPerSecond, line.fixed(), line.factor());
        paced = planner.at(pace(expectation, line));
        // The slower one of two has more bits.
        return measured.stream()
                .filter(this::keepsPace)
                .min(Comparator.comparingDouble(Measured::tokensPerSecond))
                .map(best -> best.plan().at(new Report.Speed(wanted, best.expected(), best.tokensPerSecond()), others))
                .orElseThrow(() -> tooSlow(measured));
    }

    /** Expects of plans what an earlier run of the job found. */
    void expect(ChosenPlan.Expected found) {
        MeasuredTimes.Line line = new MeasuredTimes.Line(found.fixed(), found.factor());
        paced = planner.at(pace(expectation(found.bytesPerSecond()), line));
    }

    /** The plan to measure next, at first the one for the budget alone; empty where there is no other one. */
    private Optional<ChosenPlan> next(
            Function<Planner, PlanChooser> choosers, Pace pace, List<Measured> measured, JobProgress progress) {
        try {
            Planner by = measured.isEmpty() ? planner : paced;
            return Optional.of(choosers.apply(by).decide(progress)).filter(plan -> !isMeasured(plan, measured));
        } catch (PlanException.TooSlow e) {
            if (measured.stream().anyMatch(this::keepsPace)) {
                return Optional.empty();
            }
            // What is expected may be wrong: the fastest one is measured before it is said that there is none.
            Planner slower = planner.at(pace.of(NEARLY * e.tokensPerSecond()));
            ChosenPlan fastest = choosers.apply(slower).decide(progress);
            if (isMeasured(fastest, measured)) {
                throw e;
            }
            return Optional.of(fastest);
        }
    }

    /** What is expected of plans after what was measured. */
    Optional<Planner> paced() {
        return Optional.ofNullable(paced);
    }

    private static boolean isMeasured(ChosenPlan plan, List<Measured> measured) {
        return measured.stream().anyMatch(m -> m.plan()
                .candidate()
                .plan()
                .isSameModelAs(plan.candidate().plan()));
    }

    private boolean keepsPace(Measured plan) {
        return keepsPace(plan.tokensPerSecond());
    }

    private boolean keepsPace(double tokensPerSecond) {
        return tokensPerSecond >= (1 - NOISE) * wanted;
    }

    private TokenTimes expectation(double bytesPerSecond) {
        return new TokenTimes(
                LayeredModel.of(inputs.model()),
                KernelTable.read(KernelTable.file(Optional.empty())),
                meter.kernels(),
                Math.min(meter.threads(), Processors.available()),
                bytesPerSecond);
    }

    /** What is expected of plans after some were measured. */
    private Pace pace(TokenTimes expectation, MeasuredTimes.Line line) {
        return new Pace(wanted, line.fixed(), tensor -> line.factor() * expectation.seconds(tensor));
    }

    private double measure(Candidate plan, PlanEvaluator evaluator, KeyedImatrix matrix, JobProgress progress) {
        List<Path> files =
                evaluator.assemble(plan.plan(), matrix, progress.part(0, 0.8)).splits();
        return Cancellable.run(progress::cancelled, () -> {
            double found = meter.tokensPerSecond(files);
            return keepsPace(found) || found < CLOSE * wanted ? found : Math.max(found, meter.tokensPerSecond(files));
        });
    }

    private RequantizationException tooSlow(List<Measured> measured) {
        return new RequantizationException.Failed(
                String.format(
                        Locale.ROOT,
                        "No plan generates %.1f tokens per second: the fastest of %d that were measured reached %.1f. Ask"
                                + " for fewer, allow more memory, or measure while nothing else runs.",
                        wanted,
                        measured.size(),
                        measured.stream()
                                .mapToDouble(Measured::tokensPerSecond)
                                .max()
                                .orElse(0)),
                null);
    }
}
