package dev.luq.requant.pipeline;

import dev.luq.gguf.LayeredModel;
import dev.luq.requant.measure.Quality;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.LayerCosts;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.Mix;
import dev.luq.requant.plan.PlanException;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.rank.LadderCosts;
import dev.luq.requant.report.Report;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.spec.RequantizationSpec.Search;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Finds the plan for a budget.
 *
 * <p>A budget of size is met by sizes alone: the fewest low layers that fit, the cheapest allocation or ladder that fits,
 * or of llama.cpp's mixes that fit the one whose matrices cost least. A budget of quality is met by bisection over the
 * plans in order of size, each measured on the evaluation set; the smallest plan that is good enough wins.
 * {@link Method#BEST} takes the plans of all other methods: of those of one size the nearest to the base model on the
 * tuning examples, of those of one quality the smallest. Where the budget is for everything, what a projector of Q8_0
 * saves may be better spent on layers: each method has a plan with it, too. Where a search is asked for, its nearest plan
 * is one more to choose.
 */
final class PlanChooser {

    /**
     * Of the least expected divergence, what a plan is not measured beyond. On the demo model such plans were farther away
     * in each of the cases that were measured (docs/luq-measured.md).
     */
    private static final double FAR = 1.5;
    /** How much longer measuring every layer takes than what other methods need; what it has found the others have too. */
    private static final double EVERY_LAYER = 10;
    /** The name of a plan that no method gave. */
    private static final String SEARCH = "search";

    private final RequantizationSpec spec;
    private final JobInputs inputs;
    private final PlanEvaluator evaluator;
    private final Rankings rankings;
    private final AllocationCosts allocation;
    private final KeyedImatrix matrix;
    private final Planner planner;
    private final Path jobFolder;

    /**
     * A plan.
     *
     * @param method that gave it, for people
     */
    private record Proposal(String method, Candidate candidate) {

        /** Whether it differs from another plan of its method in the projector only. */
        boolean hasTheLayersOf(Proposal other) {
            return method.equals(other.method) && candidate.plan().isSameModelAs(other.candidate.plan());
        }
    }

    PlanChooser(
            RequantizationSpec spec,
            JobInputs inputs,
            PlanEvaluator evaluator,
            Rankings rankings,
            AllocationCosts allocation,
            KeyedImatrix matrix,
            Planner planner,
            Path jobFolder) {
        this.spec = spec;
        this.inputs = inputs;
        this.evaluator = evaluator;
        this.rankings = rankings;
        this.allocation = allocation;
        this.matrix = matrix;
        this.planner = planner;
        this.jobFolder = jobFolder;
    }

    /** The methods that the job's own one stands for. */
    static List<Method> methods(Method method) {
        return method != Method.BEST
                ? List.of(method)
                : List.of(
                        Method.ALLOCATION,
                        Method.LADDER,
                        Method.UNIFORM,
                        Method.KLD,
                        Method.ERROR,
                        Method.ENTROPY,
                        Method.ENTROPY_NORMED_INPUT);
    }

    /** Computes the rankings and costs that the decision needs. */
    void rank(JobProgress progress) {
        if (spec.method() == Method.BEST) {
            allocation.measure(progress.part(0, 0.2));
            Set<Precision> learnt = new TreeSet<>(AllocationCosts.LEARNT_FROM);
            learnt.add(spec.levels().high());
            allocation.refine(
                    rankings.measured(learnt, progress.part(0.2, 0.6)),
                    spec.levels().high());
        }
        prepare(competing(spec.budget(), spec.projectors()), progress.part(spec.method() == Method.BEST ? 0.6 : 0, 1));
    }

    private void prepare(List<Method> methods, JobProgress progress) {
        List<JobProgress> parts = preparations(methods, progress);
        for (int i = 0; i < methods.size(); i++) {
            prepare(methods.get(i), parts.get(i));
        }
    }

    /** Of each of these methods. */
    static List<JobProgress> preparations(List<Method> methods, JobProgress progress) {
        Method slow = methods.contains(Method.LADDER) ? Method.LADDER : Method.KLD;
        return progress.parts(
                methods.stream().map(method -> method == slow ? EVERY_LAYER : 1).toList());
    }

    /**
     * The methods whose plans may win. Measuring every layer takes longest of all, and is left out where what matrices cost
     * shows that no plan of whole layers comes {@linkplain #FAR near}.
     */
    private List<Method> competing(Budget budget, List<Precision> projectors) {
        List<Method> methods = methods(spec.method());
        return spec.method() == Method.BEST && budget.isOfSize() && !wholeLayersComeNear(budget, projectors)
                ? methods.stream()
                        .filter(method -> method != Method.LADDER && method != Method.KLD)
                        .toList()
                : methods;
    }

    private boolean wholeLayersComeNear(Budget budget, List<Precision> projectors) {
        MatrixCosts costs = allocation.costs();
        Optional<LayerCosts> layers = LadderCosts.sums(LayeredModel.of(inputs.model()), costs, rankings.precisions());
        if (layers.isEmpty()) {
            return true;
        }
        OptionalDouble byMatrix = least(projectors, projector -> planner.allocation(costs, budget, projector));
        OptionalDouble byLayer = least(
                projectors,
                projector -> planner.ladder(layers.get(), budget, spec.levels().high(), projector));
        return byMatrix.isEmpty() || byLayer.isPresent() && byLayer.getAsDouble() <= FAR * byMatrix.getAsDouble();
    }

    /** What the cheapest of plans with these projectors is expected to cost; empty where none is possible. */
    private OptionalDouble least(List<Precision> projectors, Function<Precision, Candidate> plan) {
        return projectors.stream()
                .flatMap(projector -> {
                    try {
                        return Stream.of(plan.apply(projector));
                    } catch (PlanException.Impossible e) {
                        return Stream.empty();
                    }
                })
                .map(this::expected)
                .flatMapToDouble(OptionalDouble::stream)
                .min();
    }

    /** Computes what a method needs. */
    void prepare(Method method, JobProgress progress) {
        switch (method) {
            case ALLOCATION -> allocation.measure(progress);
            case LADDER -> rankings.costs(progress);
            case UNIFORM -> progress.report(1);
            default -> rankings.of(method.ranking().orElseThrow(), progress);
        }
    }

    /** @throws PlanException.Impossible when no plan meets the budget */
    ChosenPlan decide(JobProgress progress) {
        return decide(spec.budget(), spec.search(), spec.projectors(), progress);
    }

    /**
     * The plan that would be published for another budget, without a search.
     *
     * @param size budget of size
     * @throws PlanException.Impossible when no plan meets the budget
     */
    Candidate published(Budget size, JobProgress progress) {
        return decide(size, Search.NONE, List.of(spec.levels().mmproj()), progress)
                .candidate();
    }

    private ChosenPlan decide(Budget budget, Search search, List<Precision> projectors, JobProgress progress) {
        List<Method> methods = competing(budget, projectors);
        prepare(methods, progress.part(0, 0.2));
        List<Proposal> proposals = new ArrayList<>();
        PlanException.Impossible impossible = null;
        for (Precision projector : projectors) {
            for (int i = 0; i < methods.size(); i++) {
                try {
                    Proposal proposal = propose(
                            methods.get(i),
                            budget,
                            projector,
                            progress.part(0.2, 0.5).part(i, methods.size()));
                    if (proposals.stream().noneMatch(proposal::hasTheLayersOf)) {
                        proposals.add(proposal);
                    }
                } catch (PlanException.Impossible e) {
                    impossible = nearer(impossible, e);
                }
            }
        }
        if (proposals.isEmpty()) {
            throw impossible;
        }
        if (proposals.size() == 1 && search.equals(Search.NONE)) {
            Proposal only = proposals.get(0);
            return new ChosenPlan(
                    text(only),
                    spec.method() == Method.BEST
                            ? "No other method has a plan for this budget."
                            : "The method was asked for.",
                    only.candidate(),
                    List.of(choice(only, Optional.empty())));
        }
        return budget.isOfSize() ? nearest(proposals, search, progress) : smallest(proposals);
    }

    /** Of two methods that have no plan, the one that is nearer to one: too slow rather than too large. */
    private static PlanException.Impossible nearer(PlanException.Impossible before, PlanException.Impossible next) {
        if (before instanceof PlanException.NotGoodEnough best && next instanceof PlanException.NotGoodEnough other) {
            return best.missing() <= other.missing() ? best : other;
        }
        return before instanceof PlanException.TooSlow slow
                        && !(next instanceof PlanException.TooSlow other
                                && other.tokensPerSecond() > slow.tokensPerSecond())
                ? before
                : next;
    }

    private Proposal propose(Method method, Budget budget, Precision projector, JobProgress progress) {
        PlansBySize plans = plans(method, projector);
        Candidate plan = budget.isOfSize() ? plans.of(budget) : smallest(plans, progress);
        return new Proposal(method == Method.UNIFORM ? mixName(plan) : method.text(), plan);
    }

    /** The plan of a method for a budget of size. */
    Candidate ofSize(Method method, Budget size) {
        return plans(method, spec.levels().mmproj()).of(size);
    }

    private PlansBySize plans(Method method, Precision projector) {
        Precision high = spec.levels().high();
        return switch (method) {
            case ALLOCATION -> {
                MatrixCosts costs = allocation.costs();
                yield PlansBySize.between(
                        planner.smallestAllocation(costs, projector),
                        planner.largestAllocation(costs, projector),
                        size -> planner.allocation(costs, size, projector));
            }
            case LADDER -> {
                LayerCosts costs = rankings.costs();
                TreeSet<Precision> precisions = new TreeSet<>(costs.kld().get(0).keySet());
                yield PlansBySize.between(
                        planner.uniformly(precisions.first(), high, projector),
                        planner.uniformly(precisions.last(), high, projector),
                        size -> planner.ladder(costs, size, high, projector));
            }
            case UNIFORM -> {
                List<Candidate> mixes = planner.mixes(projector).stream()
                        .sorted(Comparator.comparingLong(Candidate::weightBytes))
                        .toList();
                yield PlansBySize.of(mixes, size -> cheapest(mixes, size));
            }
            default -> {
                List<Candidate> plans = twoLevel(rankings.of(method.ranking().orElseThrow()), projector);
                List<Candidate> fromSmallest = new ArrayList<>(plans);
                Collections.reverse(fromSmallest);
                yield PlansBySize.of(fromSmallest, size -> planner.choose(plans, size));
            }
        };
    }

    /** Of the mixes that fit the one whose matrices cost least; where costs are not known, the largest. */
    private Candidate cheapest(List<Candidate> mixes, Budget size) {
        return planner.allowed(mixes, size).stream()
                .min(Comparator.<Candidate>comparingDouble(mix -> expected(mix).orElse(Double.MAX_VALUE))
                        .thenComparing(Candidate::weightBytes, Comparator.reverseOrder()))
                .orElseThrow();
    }

    private String mixName(Candidate plan) {
        Mix mix = Arrays.stream(Mix.values())
                .filter(candidate ->
                        planner.mix(candidate, plan.plan().mmproj()).equals(plan))
                .findFirst()
                .orElseThrow();
        return Method.UNIFORM.text() + " " + mix;
    }

    /** The two-level plan in any order for a budget of size. */
    Candidate ofSize(Ranking order, Budget size) {
        return planner.choose(twoLevel(order, spec.levels().mmproj()), size);
    }

    private List<Candidate> twoLevel(Ranking order, Precision projector) {
        return planner.twoLevel(
                order, spec.levels().low(), spec.levels().high(), spec.levels().high(), projector);
    }

    /** Bytes of the weights that ratios refer to. */
    long q4kmBytes() {
        return planner.q4KMBytes();
    }

    /**
     * The first of the plans that is good enough.
     *
     * @throws PlanException.NotGoodEnough none is
     */
    private Candidate smallest(PlansBySize plans, JobProgress progress) {
        int low = 0;
        int high = plans.count();
        int rounds = 32 - Integer.numberOfLeadingZeros(high);
        double last = Double.NaN;
        for (int round = 0; low < high; round++) {
            int middle = (low + high) / 2;
            Quality quality = evaluator.quality(
                    plans.at(middle).plan(),
                    matrix,
                    inputs.evaluation(),
                    spec.budget() instanceof Budget.Accuracy,
                    progress.part(round, rounds));
            if (isGoodEnough(quality)) {
                high = middle;
            } else {
                low = middle + 1;
                last = value(quality);
            }
        }
        if (low == plans.count()) {
            throw new PlanException.NotGoodEnough(
                    "No plan is good enough for " + spec.budget().text() + ": the largest one reaches "
                            + String.format(Locale.ROOT, "%.4f", last) + ". Ask for less, or raise the high precision.",
                    plans.at(plans.count() - 1).weightBytes(),
                    Math.abs(last - wanted()));
        }
        return plans.at(low);
    }

    private boolean isGoodEnough(Quality quality) {
        return spec.budget() instanceof Budget.MeanKld ? value(quality) <= wanted() : value(quality) >= wanted();
    }

    private double wanted() {
        return spec.budget() instanceof Budget.MeanKld kld ? kld.nats() : ((Budget.Accuracy) spec.budget()).share();
    }

    private double value(Quality quality) {
        return spec.budget() instanceof Budget.MeanKld
                ? quality.all().meanKld()
                : quality.exactMatchAll().share();
    }

    private ChosenPlan nearest(List<Proposal> proposals, Search search, JobProgress progress) {
        List<Proposal> near = near(proposals);
        List<Report.Choice> choices = new ArrayList<>();
        proposals.stream()
                .filter(proposal -> !near.contains(proposal))
                .forEach(proposal -> choices.add(choice(proposal, Optional.empty())));
        boolean searches = !search.equals(Search.NONE);
        if (near.size() == 1 && !searches) {
            choices.add(choice(near.get(0), Optional.empty()));
            return new ChosenPlan(
                    text(near.get(0)),
                    "What the matrices cost shows that no other method's plan comes near.",
                    near.get(0).candidate(),
                    choices);
        }
        JobProgress measuring = progress.part(0.5, searches ? 0.6 : 1);
        List<PlanSearch.Trial> trials = new ArrayList<>();
        for (int i = 0; i < near.size(); i++) {
            Candidate candidate = near.get(i).candidate();
            double kld = evaluator.tuningKld(candidate.plan(), matrix, measuring.part(i, near.size()));
            trials.add(new PlanSearch.Trial(candidate, kld));
            choices.add(choice(near.get(i), Optional.of(kld)));
        }
        PlanSearch.Trial best = Collections.min(trials, Comparator.comparingDouble(PlanSearch.Trial::kld));
        String chosen = text(near.get(trials.indexOf(best)));
        int plans = near.size();
        if (searches) {
            PlanSearch.Result found = search(trials, best.candidate().plan().mmproj(), progress.part(0.6, 1));
            plans += found.trials();
            for (PlanSearch.Trial trial : found.best().stream().toList()) {
                choices.add(new Report.Choice(
                        SEARCH,
                        trial.candidate().weightBytes(),
                        lowLayers(trial.candidate()),
                        Optional.empty(),
                        Optional.of(trial.kld())));
                if (trial.kld() < best.kld()) {
                    best = trial;
                    chosen = SEARCH;
                }
            }
        }
        return new ChosenPlan(
                chosen,
                "Of " + plans + " plans it was the nearest to the base model on "
                        + inputs.tuning().examples().size() + " examples held out of the calibration.",
                best.candidate(),
                choices);
    }

    /** Those that may be the nearest by what their matrices cost, and those of which that is not known. */
    private List<Proposal> near(List<Proposal> proposals) {
        double least = proposals.stream()
                .map(proposal -> expected(proposal.candidate()))
                .flatMapToDouble(OptionalDouble::stream)
                .min()
                .orElse(0);
        return proposals.stream()
                .filter(proposal -> least == 0 || expected(proposal.candidate()).orElse(0) <= FAR * least)
                .toList();
    }

    /** What the costs of its matrices add up to; empty where they are not known. */
    private OptionalDouble expected(Candidate candidate) {
        return allocation
                .measuredCosts()
                .map(costs -> costs.of(planner.types(candidate.plan())))
                .orElse(OptionalDouble.empty());
    }

    private PlanSearch.Result search(List<PlanSearch.Trial> known, Precision projector, JobProgress progress) {
        return new PlanSearch(
                        planner,
                        allocation.costs(),
                        spec.calibration().seed(),
                        jobFolder,
                        inputs.all(),
                        System::nanoTime)
                .run(
                        known,
                        spec.budget(),
                        projector,
                        spec.search().seconds(),
                        plan -> evaluator.tuningKld(plan, matrix, progress.unreported()),
                        progress);
    }

    private ChosenPlan smallest(List<Proposal> proposals) {
        Proposal best = proposals.stream()
                .min(Comparator.comparingLong(p -> p.candidate().weightBytes()))
                .orElseThrow();
        return new ChosenPlan(
                text(best),
                "Of " + proposals.size() + " plans it was the smallest that is good enough on the" + " evaluation set.",
                best.candidate(),
                proposals.stream().map(p -> choice(p, Optional.empty())).collect(Collectors.toList()));
    }

    private Report.Choice choice(Proposal proposal, Optional<Double> kld) {
        OptionalDouble expected = expected(proposal.candidate());
        return new Report.Choice(
                text(proposal),
                proposal.candidate().weightBytes(),
                lowLayers(proposal.candidate()),
                expected.isPresent() ? Optional.of(expected.getAsDouble()) : Optional.empty(),
                kld);
    }

    /** A plan's name: its method, and the projector where that is not the one asked for. */
    private String text(Proposal proposal) {
        Precision projector = proposal.candidate().plan().mmproj();
        return proposal.method() + (projector == spec.levels().mmproj() ? "" : ", projector " + projector);
    }

    /** Layers below the precision of the tensors outside the layers; -1 where each matrix has a type of its own. */
    static int lowLayers(Candidate candidate) {
        if (candidate.plan().isByMatrix()) {
            return -1;
        }
        Precision high = candidate.plan().outside();
        return (int) candidate.plan().layers().stream()
                .filter(p -> p.compareTo(high) < 0)
                .count();
    }
}
