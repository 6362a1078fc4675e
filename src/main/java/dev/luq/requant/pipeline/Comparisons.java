package dev.luq.requant.pipeline;

import dev.luq.llama.ModelQuantizer.FileType;
import dev.luq.requant.calibrate.CalibrationException;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.feed.FeedException;
import dev.luq.requant.measure.MeasureException;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.Mix;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import dev.luq.requant.quantize.QuantizeException;
import dev.luq.requant.rank.Ablations;
import dev.luq.requant.rank.RankException;
import dev.luq.requant.report.Report.Comparison;
import dev.luq.requant.report.Report.Measured;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The measurements of the reports that compare, on the evaluation set: methods beside the uniform types; for the full
 * report also other orders, other shares of images, calibration with and without images.
 */
final class Comparisons {

    private static final List<Budget> BUDGETS =
            List.of(new Budget.RatioToQ4KM(0.6), new Budget.RatioToQ4KM(0.7), new Budget.RatioToQ4KM(0.8));
    private static final Budget MIDDLE = BUDGETS.get(1);
    private static final List<FileType> UNIFORM = List.of(
            FileType.Q4_K_M,
            FileType.IQ3_M,
            FileType.Q3_K_M,
            FileType.IQ3_XXS,
            FileType.Q2_K,
            FileType.IQ2_M,
            FileType.IQ2_XXS,
            FileType.IQ1_M);
    private static final String HIGHEST_FIRST = "highest entropy first";
    private static final int RANDOM_SEEDS = 5;
    private static final int CALIBRATION_SEEDS = 3;
    private static final List<Double> ALPHAS = List.of(0.0, 0.25, 0.5, 0.75, 1.0);

    private final RequantizationSpec spec;
    private final JobInputs inputs;
    private final PlanEvaluator evaluator;
    private final Calibrations calibrations;
    private final CalibrationRun main;
    private final PlanChooser chooser;
    private final Rankings rankings;
    private final Optional<Planner> paced;
    private final List<Measured> frontier = new ArrayList<>();
    private final List<Measured> uniform = new ArrayList<>();
    private final List<Measured> equalBytes = new ArrayList<>();
    private final List<Measured> orders = new ArrayList<>();
    private final List<Measured> alphas = new ArrayList<>();
    private final List<Measured> modalities = new ArrayList<>();
    private final List<String> unmeasured = new ArrayList<>();

    /** @param paced knows how fast plans are expected to be; empty where no speed was asked for */
    Comparisons(
            RequantizationSpec spec,
            JobInputs inputs,
            PlanEvaluator evaluator,
            Calibrations calibrations,
            CalibrationRun main,
            PlanChooser chooser,
            Rankings rankings,
            Optional<Planner> paced) {
        this.spec = spec;
        this.inputs = inputs;
        this.evaluator = evaluator;
        this.calibrations = calibrations;
        this.main = main;
        this.chooser = chooser;
        this.rankings = rankings;
        this.paced = paced;
    }

    /** @param partial hears what is measured so far, whenever something is whole */
    Comparison run(JobProgress progress, Consumer<Comparison> partial) {
        boolean full = spec.output().report() == Scope.FULL;
        List<Method> methods = prepared(methods(full), progress.part(0, 0.1));
        JobProgress sizes = progress.part(0.1, full ? 0.5 : 1);
        for (int i = 0; i < UNIFORM.size(); i++) {
            FileType type = UNIFORM.get(i);
            JobProgress part = sizes.part(i, UNIFORM.size());
            possible(type.name(), () -> beside(type, methods, part));
            partial.accept(measured());
        }
        if (full) {
            frontier(methods, progress.part(0.5, 0.6));
            partial.accept(measured());
            if (methods.contains(Method.ENTROPY)) {
                orders(progress.part(0.6, 0.75));
                partial.accept(measured());
                alphas(progress.part(0.75, 0.8));
                partial.accept(measured());
            }
            modalities(progress.part(0.8, 1));
        }
        return measured();
    }

    private Comparison measured() {
        return new Comparison(frontier, uniform, equalBytes, orders, alphas, modalities, unmeasured);
    }

    /**
     * The job's own methods and the paper's, or all. Without {@link Method#UNIFORM}: the uniform types are beside them
     * anyway.
     */
    private List<Method> methods(boolean all) {
        Stream<Method> own = PlanChooser.methods(all ? Method.BEST : spec.method()).stream();
        return Stream.concat(own, Stream.of(Method.ENTROPY))
                .filter(method -> method != Method.UNIFORM)
                .distinct()
                .toList();
    }

    /** Those whose plans can be made. */
    private List<Method> prepared(List<Method> methods, JobProgress progress) {
        List<Method> prepared = new ArrayList<>();
        List<JobProgress> parts = PlanChooser.preparations(methods, progress);
        for (int i = 0; i < methods.size(); i++) {
            Method method = methods.get(i);
            JobProgress part = parts.get(i);
            if (possible(method.text(), () -> chooser.prepare(method, part))) {
                prepared.add(method);
            }
        }
        return prepared;
    }

    /** Does a part of the comparison. Why one cannot be done is said, and the others stay. */
    private boolean possible(String part, Runnable work) {
        try {
            work.run();
            return true;
        } catch (CalibrationException
                | FeedException
                | RankException
                | QuantizeException.UnsuitableSource
                | QuantizeException.MissingImportance
                | MeasureException.Undefined
                | MeasureException.NothingFits e) {
            unmeasured.add(part + ": " + e.getMessage());
            return false;
        }
    }

    /** A uniform type, and the methods at its bytes. */
    private void beside(FileType type, List<Method> methods, JobProgress progress) {
        int parts = methods.size() + 3;
        PlanEvaluator.Uniform mix =
                evaluator.uniform(type, main.matrix(), inputs.evaluation(), progress.part(0, parts));
        uniform.add(new Measured(
                "uniform",
                type.name(),
                mix.tensorBytes(),
                (double) mix.tensorBytes() / chooser.q4kmBytes(),
                -1,
                paced.flatMap(planner -> speed(
                        planner.mix(Mix.valueOf(type.name()), Precision.F16).plan())),
                mix.quality()));
        Budget budget = new Budget.Weights(mix.tensorBytes());
        published(equalBytes, budget, type.name(), progress.part(1, parts));
        for (int i = 0; i < methods.size(); i++) {
            measure(equalBytes, methods.get(i), budget, type.name(), progress.part(i + 2, parts));
        }
        if (methods.contains(Method.ENTROPY)) {
            Ranking highestFirst = Ablations.highestFirst(rankings.of(RankingMethod.ENTROPY));
            plan(() -> chooser.ofSize(highestFirst, budget))
                    .ifPresent(candidate -> measure(
                            equalBytes,
                            HIGHEST_FIRST,
                            type.name(),
                            candidate,
                            main.matrix(),
                            progress.part(parts - 1, parts)));
        }
    }

    private void frontier(List<Method> methods, JobProgress progress) {
        int parts = (methods.size() + 1) * BUDGETS.size();
        for (int b = 0; b < BUDGETS.size(); b++) {
            published(frontier, BUDGETS.get(b), BUDGETS.get(b).text(), progress.part(b, parts));
        }
        for (int m = 0; m < methods.size(); m++) {
            for (int b = 0; b < BUDGETS.size(); b++) {
                measure(
                        frontier,
                        methods.get(m),
                        BUDGETS.get(b),
                        BUDGETS.get(b).text(),
                        progress.part((m + 1) * BUDGETS.size() + b, parts));
            }
        }
    }

    private void measure(List<Measured> into, Method method, Budget budget, String label, JobProgress progress) {
        plan(() -> chooser.ofSize(method, budget))
                .ifPresent(candidate -> measure(into, method.text(), label, candidate, main.matrix(), progress));
    }

    /** The plan that is published where no method is named; it is one of a method's own where one is. */
    private void published(List<Measured> into, Budget budget, String label, JobProgress progress) {
        if (spec.method() == Method.BEST) {
            String best = Method.BEST.text();
            possible(best + " " + label, () -> plan(() -> chooser.published(budget, progress.part(0, 0.5)))
                    .ifPresent(
                            candidate -> measure(into, best, label, candidate, main.matrix(), progress.part(0.5, 1))));
        }
    }

    private void orders(JobProgress progress) {
        Ranking entropy = rankings.of(RankingMethod.ENTROPY);
        List<String> names = new ArrayList<>(List.of("lowest entropy first", HIGHEST_FIRST, "by depth"));
        List<Ranking> inOrder =
                new ArrayList<>(List.of(entropy, Ablations.highestFirst(entropy), Ablations.depth(rankings.layers())));
        for (int seed = 1; seed <= RANDOM_SEEDS; seed++) {
            names.add("random " + seed);
            inOrder.add(Ablations.random(rankings.layers(), seed));
        }
        for (int o = 0; o < inOrder.size(); o++) {
            Ranking order = inOrder.get(o);
            for (int b = 0; b < BUDGETS.size(); b++) {
                Budget budget = BUDGETS.get(b);
                Optional<Candidate> candidate = plan(() -> chooser.ofSize(order, budget));
                if (candidate.isPresent()) {
                    measure(
                            orders,
                            names.get(o),
                            budget.text(),
                            candidate.get(),
                            main.matrix(),
                            progress.part(o * BUDGETS.size() + b, inOrder.size() * BUDGETS.size()));
                }
            }
        }
    }

    /** The main plan of the entropy ranking with the matrices of other alphas. */
    private void alphas(JobProgress progress) {
        Optional<Candidate> candidate = plan(() -> chooser.ofSize(Method.ENTROPY, MIDDLE));
        for (int i = 0; i < ALPHAS.size() && candidate.isPresent(); i++) {
            measure(
                    alphas,
                    "entropy",
                    ALPHAS.get(i).toString().replaceFirst("\\.0$", ""),
                    candidate.get(),
                    main.withAlpha(ALPHAS.get(i)).matrix(),
                    progress.part(i, ALPHAS.size()));
        }
    }

    /**
     * The paper's method calibrated with examples that have images, and with those that have none: as many examples of
     * each, drawn anew by each seed, which also starts the clustering.
     */
    private void modalities(JobProgress progress) {
        List<Example> images = filtered(Example::isMultimodal);
        List<Example> texts = filtered(example -> !example.isMultimodal());
        if (images.isEmpty() || texts.isEmpty()) {
            return;
        }
        int examples = Math.max(1, Math.min(Math.min(images.size(), texts.size()) * 3 / 4, limit()));
        for (int seed = 1; seed <= CALIBRATION_SEEDS; seed++) {
            JobProgress part = progress.part(seed - 1, CALIBRATION_SEEDS);
            modality("multimodal", new Dataset(images), examples, seed, part.part(0, 0.5));
            modality("text only", new Dataset(texts), examples, seed, part.part(0.5, 1));
        }
    }

    private int limit() {
        return spec.calibration().examples() == 0
                ? Integer.MAX_VALUE
                : spec.calibration().examples();
    }

    private List<Example> filtered(Predicate<Example> predicate) {
        return inputs.calibration().examples().stream().filter(predicate).toList();
    }

    private void modality(String name, Dataset set, int examples, int seed, JobProgress progress) {
        // Too long, too few or damaged may be the examples of this kind, not those of the job.
        possible(name + ", seed " + seed, () -> {
            CalibrationRun calibrated = calibrations.run(set, examples, seed, main.alpha(), progress.part(0, 0.4));
            Ranking ranking = rankings.of(calibrated).of(RankingMethod.ENTROPY, progress.part(0.4, 0.6));
            plan(() -> chooser.ofSize(ranking, MIDDLE))
                    .ifPresent(candidate -> measure(
                            modalities,
                            name,
                            String.valueOf(seed),
                            candidate,
                            calibrated.matrix(),
                            progress.part(0.6, 1)));
        });
    }

    /** A method's plan; empty when its smallest is too large. */
    private static Optional<Candidate> plan(Supplier<Candidate> method) {
        try {
            return Optional.of(method.get());
        } catch (PlanException.Impossible e) {
            return Optional.empty();
        }
    }

    private void measure(
            List<Measured> into,
            String series,
            String label,
            Candidate candidate,
            KeyedImatrix matrix,
            JobProgress progress) {
        progress.check();
        possible(series + " " + label, () -> {
            Quality quality = evaluator.quality(candidate.plan(), matrix, inputs.evaluation(), true, progress);
            into.add(new Measured(
                    series,
                    label,
                    candidate.weightBytes(),
                    candidate.ratioToQ4KM(),
                    PlanChooser.lowLayers(candidate),
                    speed(candidate.plan()),
                    quality));
        });
    }

    private Optional<Double> speed(Plan plan) {
        return paced.map(planner -> planner.speed(plan).orElseThrow());
    }
}
