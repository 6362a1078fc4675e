package dev.luq.requant.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Candidate;
import dev.luq.requant.plan.MatrixCosts;
import dev.luq.requant.plan.Models;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Planner;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.TensorTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a model whose divergence is known: each measurement takes a second of a clock that stands still otherwise. */
class PlanSearchTest {

    private static final Budget BUDGET = Budget.parse("60%");

    private final LayeredModel model = Models.decoder(6, 1024, 256, 4096, 8192, false);
    private final Planner planner = new Planner(model, Optional.empty(), new ServingShape(512, 128, 1, 1));
    private final List<Plan> measured = new ArrayList<>();
    private long nanoTime;
    private String basis = "set";

    @TempDir
    Path folder;

    private MatrixCosts costs(ToDoubleFunction<String> sensitivity) {
        SortedMap<String, SortedMap<GgmlType, Double>> costs = new TreeMap<>();
        for (GgufTensor tensor : Stream.concat(
                        model.outside().stream(), model.layers().stream().flatMap(List::stream))
                .toList()) {
            SortedMap<GgmlType, Double> ofMatrix = new TreeMap<>();
            TensorTypes.choices(tensor, model.tied())
                    .forEach(type -> ofMatrix.put(
                            type, sensitivity.applyAsDouble(tensor.name()) * Math.pow(4, -type.bitsPerWeight())));
            if (!ofMatrix.isEmpty()) {
                costs.put(tensor.name(), ofMatrix);
            }
        }
        return new MatrixCosts(costs);
    }

    /** What the probes took for equal: layer 4 bears three times as much, and queries hardly anything. */
    private static double truth(String matrix) {
        return matrix.startsWith("blk.4.") ? 3 : matrix.contains("attn_q") ? 0.4 : 1;
    }

    private double kld(Plan plan) {
        measured.add(plan);
        nanoTime += 1_000_000_000;
        return costs(PlanSearchTest::truth).of(plan.matrices()).orElseThrow();
    }

    private PlanSearch.Result search(Path jobFolder, double seconds, long seed, ToDoubleFunction<Plan> kld) {
        return new PlanSearch(planner, costs(name -> 1), seed, jobFolder, basis, () -> nanoTime)
                .run(List.of(first()), BUDGET, Precision.F16, seconds, kld, new JobProgress(share -> {}, () -> false));
    }

    private PlanSearch.Trial first() {
        Candidate first = planner.allocation(costs(name -> 1), BUDGET, Precision.F16);
        return new PlanSearch.Trial(first, kld(first.plan()));
    }

    @Test
    void measuresPlanAfterPlanUntilTheTimeIsOverAndKeepsTheNearest() {
        double before = first().kld();
        measured.clear();

        PlanSearch.Result result = search(folder, 40, 1, this::kld);

        assertEquals(40, result.trials());
        PlanSearch.Trial best = result.best().orElseThrow();
        List<Plan> tried = List.copyOf(measured.subList(1, measured.size()));
        assertEquals(41, measured.stream().distinct().count(), "none twice");
        assertEquals(tried.stream().mapToDouble(this::kld).min().orElseThrow(), best.kld());
        tried.forEach(plan -> assertTrue(planner.candidate(plan).ratioToQ4KM() <= 0.6));
        double possible = kld(planner.allocation(costs(PlanSearchTest::truth), BUDGET, Precision.F16)
                .plan());
        assertTrue(
                before - best.kld() > 0.5 * (before - possible),
                best.kld() + " after " + before + ", where " + possible + " is possible");
    }

    @Test
    void aSeedHasItsPlans() throws IOException {
        search(folder, 10, 1, this::kld);
        List<Plan> once = List.copyOf(measured);
        measured.clear();
        search(Files.createDirectory(folder.resolve("again")), 10, 1, this::kld);
        assertEquals(once, measured);
        measured.clear();
        search(Files.createDirectory(folder.resolve("other")), 10, 2, this::kld);
        assertEquals(once.subList(0, 2), measured.subList(0, 2), "nothing is drawn yet");
        assertTrue(!once.equals(measured));
    }

    @Test
    void anInterruptedSearchGoesOnAsIfNothingHadBeen() throws IOException {
        PlanSearch.Result whole = search(Files.createDirectory(folder.resolve("whole")), 12, 1, this::kld);
        List<Plan> plans = List.copyOf(measured);
        measured.clear();
        assertThrows(
                RequantizationException.Cancelled.class,
                () -> search(folder, 12, 1, plan -> {
                    if (measured.size() == 6) {
                        throw new RequantizationException.Cancelled();
                    }
                    return kld(plan);
                }));
        measured.clear();

        PlanSearch.Result resumed = search(folder, 12, 1, this::kld);

        assertEquals(plans, measured);
        assertEquals(whole, resumed);
        measured.clear();
        assertEquals(whole, search(folder, 12, 1, this::kld), "a search that was over adds nothing");
        assertEquals(plans, measured);
    }

    @Test
    void endsWhereNoOtherPlanIsLeft() {
        Candidate largest = planner.largestAllocation(costs(name -> 1), Precision.F16);
        PlanSearch.Result result = new PlanSearch(planner, costs(name -> 1), 1, folder, basis, () -> nanoTime)
                .run(
                        List.of(new PlanSearch.Trial(largest, 1)),
                        Budget.parse("1000%"),
                        Precision.F16,
                        10,
                        this::kld,
                        new JobProgress(share -> {}, () -> false));
        assertEquals(new PlanSearch.Result(Optional.empty(), 0), result);
    }

    @Test
    void whatWasMeasuredOnSomethingElseTakesNoTimeOfThisSearch() {
        assertEquals(20, search(folder, 20, 1, this::kld).trials());
        basis = "another set";
        assertEquals(5, search(folder, 5, 1, this::kld).trials());
    }
}
