package dev.luq.requant.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.machine.Kernels;
import dev.luq.memory.CpuFeatures;
import dev.luq.memory.ServingShape;
import dev.luq.requant.TestModels;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlannerTest {

    private static final double GIB = 1L << 30;
    private static final ServingShape SHAPE = new ServingShape(8192, 128, 4, 2);

    private final Planner planner = new Planner(Models.qwen7B(), Optional.empty(), SHAPE);

    /** The table of what Qwen2.5-VL-7B takes at 8 low layers and so on, to which published sizes can be compared. */
    @ParameterizedTest
    @CsvSource({"0, 4.35, 1, 4.91", "8, 3.69, .848, 4.16", "12, 3.36, .771, 3.79", "16, 3.03, .695, 3.41"})
    void sizesOfQwen7BAreTheKnownOnes(int lowLayers, double gib, double ratio, double bits) {
        // From the first layer on: as many of them as of the rest are of the more exact half of Q4_K_M.
        List<Candidate> all =
                planner.twoLevel(identity(28), Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16);

        assertEquals(29, all.size());
        Candidate candidate = all.get(lowLayers);
        assertEquals(gib, candidate.weightBytes() / GIB, gib * 0.01);
        assertEquals(ratio, candidate.ratioToQ4KM(), ratio * 0.01);
        assertEquals(bits, candidate.bitsPerWeight(), bits * 0.01);
        assertEquals(lowLayers, Collections.frequency(candidate.plan().layers(), Precision.IQ1_M));
    }

    @Test
    void llavaHasTheKnownSizeToo() {
        Planner llava = new Planner(Models.llava7B(), Optional.empty(), SHAPE);
        // llama-2-7b.Q4_K_M.gguf, with 64 tokens fewer, has 4 081 004 224 bytes, 0.7 MB of them metadata.
        assertEquals(4_081_004_224.0, llava.q4KMBytes(), 4e6);
    }

    @Test
    void aBudgetIsUsedAsFarAsItGoes() {
        List<Candidate> all =
                planner.twoLevel(identity(28), Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16);
        for (String text : List.of("80%", "3.5bpw", "weights:3.5GiB", "4.2GiB")) {
            Budget budget = Budget.parse(text);
            Candidate chosen = planner.choose(all, budget);
            Candidate oneFewer = all.get(all.indexOf(chosen) - 1);
            assertTrue(value(chosen, budget) <= 1, text);
            assertTrue(value(oneFewer, budget) > 1, text + ": one layer fewer low would be too large");
        }
        assertEquals(all.get(0), planner.choose(all, Budget.parse("100%")));
        assertEquals(all.get(0), planner.choose(all, Budget.parse("64GiB")));
    }

    /** What a candidate takes as a share of the budget. */
    private static double value(Candidate candidate, Budget budget) {
        if (budget instanceof Budget.Deployment b) {
            return (double) candidate.memory().total() / b.bytes();
        } else if (budget instanceof Budget.Weights b) {
            return (double) candidate.weightBytes() / b.bytes();
        } else if (budget instanceof Budget.BitsPerWeight b) {
            return candidate.bitsPerWeight() / b.bits();
        }
        return candidate.ratioToQ4KM() / ((Budget.RatioToQ4KM) budget).ratio();
    }

    @Test
    void anImpossibleBudgetSaysTheSmallestPossible() {
        List<Candidate> all =
                planner.twoLevel(identity(28), Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16);
        Candidate smallest = all.get(28);

        PlanException.Impossible weights =
                assertThrows(PlanException.Impossible.class, () -> planner.choose(all, Budget.parse("30%")));
        assertEquals(smallest.weightBytes(), weights.smallestBytes());
        assertTrue(weights.getMessage().contains("smallest possible is 2081.3 MiB"), weights.getMessage());

        PlanException.Impossible deployment =
                assertThrows(PlanException.Impossible.class, () -> planner.choose(all, Budget.parse("1GiB")));
        assertEquals(smallest.memory().total(), deployment.smallestBytes());
        assertTrue(deployment.getMessage().contains("KV cache 448.0 MiB"), deployment.getMessage());
        assertEquals(smallest, planner.choose(all, new Budget.Deployment(deployment.smallestBytes())));
    }

    @Test
    void theLadderTakesWhatCostsLeast() {
        Map<Precision, Double> cheap = Map.of(Precision.IQ1_M, 0.01, Precision.Q4_K, 0.0);
        Map<Precision, Double> dear = Map.of(Precision.IQ1_M, 9.0, Precision.Q4_K, 0.0);
        LayerCosts costs = new LayerCosts(
                IntStream.range(0, 28).mapToObj(i -> i % 2 == 0 ? cheap : dear).toList());

        Candidate chosen = planner.ladder(costs, Budget.parse("75%"), Precision.Q4_K_M, Precision.F16);

        assertTrue(chosen.ratioToQ4KM() <= 0.75 && chosen.ratioToQ4KM() > 0.70);
        assertTrue(IntStream.range(0, 28)
                .allMatch(i -> i % 2 == 0 || chosen.plan().layers().get(i) != Precision.IQ1_M));
        PlanException.Impossible e = assertThrows(
                PlanException.Impossible.class,
                () -> planner.ladder(costs, Budget.parse("10%"), Precision.Q4_K_M, Precision.F16));
        assertEquals(
                planner.candidate(Plan.uniform(28, Precision.IQ1_M, Precision.Q4_K_M, Precision.F16))
                        .weightBytes(),
                e.smallestBytes());
    }

    @Test
    void anAllocationGivesMoreBitsToWhatBearsMore() {
        MatrixCosts costs = costs(name -> name.contains("ffn_down") ? 10 : 1);
        for (String text : List.of("weights:3GiB", "70%", "3.5bpw", "4.2GiB")) {
            Budget budget = Budget.parse(text);
            Candidate chosen = planner.allocation(costs, budget, Precision.F16);
            Plan plan = chosen.plan();

            assertTrue(value(chosen, budget) <= 1 && value(chosen, budget) > 0.999, text);
            assertEquals(costs.kld().keySet(), plan.matrices().keySet());
            assertTrue(bits(plan, "ffn_down") > bits(plan, "ffn_up") + 0.5, text);
            assertEquals(chosen, planner.candidate(plan), "what it takes is that of its types");
        }
        // the embeddings are looked up: no importances, none of the types that need them
        Plan small = planner.smallestAllocation(costs, Precision.F16).plan();
        assertEquals(GgmlType.Q2_K, small.matrices().get("token_embd.weight"));
        assertEquals(GgmlType.IQ1_M, small.matrices().get("output.weight"));
        assertEquals(Collections.nCopies(28, Precision.IQ1_M), small.layers());
    }

    @Test
    void anAllocationThatIsTooSmallSaysTheSmallestPossible() {
        MatrixCosts costs = costs(name -> 1);
        PlanException.Impossible impossible = assertThrows(
                PlanException.Impossible.class, () -> planner.allocation(costs, Budget.parse("20%"), Precision.F16));
        Candidate smallest = planner.smallestAllocation(costs, Precision.F16);
        assertEquals(smallest.weightBytes(), impossible.smallestBytes());
        assertEquals(
                smallest, planner.allocation(costs, new Budget.Weights(impossible.smallestBytes()), Precision.F16));
        assertThrows(
                PlanException.Impossible.class,
                () -> planner.requireAllocation(Budget.parse("20%"), List.of(Precision.F16)));
        planner.requireAllocation(new Budget.Weights(impossible.smallestBytes()), List.of(Precision.F16));
    }

    /** What goes into each expert is not measured: no importances. */
    @Test
    void expertsHaveNoTypeThatNeedsImportances() {
        Planner ofExperts = new Planner(Models.experts(4, 1024, 512, 8), Optional.empty(), SHAPE);
        List<Candidate> mixes = ofExperts.mixes(Precision.F16);
        for (Candidate mix : mixes) {
            types(mix, "_exps").forEach(type -> assertFalse(TensorTypes.needsImportance(type), mix.toString()));
        }
        assertEquals(Mix.values().length, planner.mixes(Precision.F16).size(), "a dense model can be any");
        assertTrue(mixes.contains(ofExperts.mix(Mix.Q2_K, Precision.F16)));
        assertTrue(mixes.contains(ofExperts.mix(Mix.IQ3_S, Precision.F16)));

        PlanException.Impossible impossible = assertThrows(
                PlanException.Impossible.class,
                () -> ofExperts.requireAllocation(Budget.parse("40%"), List.of(Precision.F16)));
        MatrixCosts costs = costs(Models.experts(4, 1024, 512, 8), name -> 1);
        Candidate smallest = ofExperts.smallestAllocation(costs, Precision.F16);
        assertEquals(smallest.weightBytes(), impossible.smallestBytes());
        assertEquals(List.of(GgmlType.IQ3_S), types(smallest, "_exps"));
        assertEquals(List.of(GgmlType.IQ1_M), types(smallest, "attn_"));
    }

    /** Those of matrices with such a name. */
    private static List<GgmlType> types(Candidate plan, String name) {
        return plan.plan().matrices().entrySet().stream()
                .filter(matrix -> matrix.getKey().contains(name))
                .map(Map.Entry::getValue)
                .distinct()
                .toList();
    }

    @Test
    void aBudgetBelowTheSmallestMixIsRefused() {
        Candidate smallest = planner.mix(Mix.IQ1_M, Precision.F16);
        planner.requireMix(new Budget.Weights(smallest.weightBytes()), List.of(Precision.F16));
        PlanException.Impossible impossible = assertThrows(
                PlanException.Impossible.class,
                () -> planner.requireMix(new Budget.Weights(smallest.weightBytes() - 1), List.of(Precision.F16)));
        assertEquals(smallest.weightBytes(), impossible.smallestBytes());
    }

    /** 576 columns are no whole blocks of 256: what llama.cpp falls back to is what there is to choose among. */
    @Test
    void narrowMatricesHaveTypesOfSmallerBlocks() {
        LayeredModel narrow = Models.decoder(2, 576, 192, 1536, 49152, false);
        for (GgufTensor tensor : narrow.layers().get(0)) {
            List<GgmlType> choices = TensorTypes.choices(tensor, false);
            assertTrue(choices.stream().allMatch(type -> tensor.extent(0) % type.blockSize() == 0), tensor.toString());
            assertEquals(tensor.shape().size() > 1, !choices.isEmpty(), tensor.toString());
            assertEquals(tensor.name().contains("ffn_down"), choices.contains(GgmlType.IQ3_S), tensor.toString());
        }
    }

    /** Errors that fall by a factor of four for each bit, as those of uniform quantizers do. */
    /** What reading its bytes takes, and IQ types twice as long: they are small, but slow to multiply. */
    private static double seconds(GgufTensor tensor) {
        return tensor.bytes() / 10e9 * (tensor.type().name().startsWith("IQ") ? 2 : 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"100%", "80%", "3GiB"})
    void aPaceIsKeptWithinTheBudgetAtTheLeastCost(String text) {
        MatrixCosts costs = costs(name -> name.contains("ffn_down") ? 5 : 1);
        Budget budget = Budget.parse(text);
        Candidate any = planner.allocation(costs, budget, Precision.F16);
        double speed = planner.at(new Pace(1, 0, PlannerTest::seconds))
                .speed(any.plan())
                .orElseThrow();
        double last = cost(costs, any);
        for (double faster : new double[] {1, 1.1, 1.2}) {
            Planner paced = planner.at(new Pace(faster * speed, 0, PlannerTest::seconds));
            Candidate plan = paced.allocation(costs, budget, Precision.F16);
            double reached = paced.speed(plan.plan()).orElseThrow();
            assertTrue(reached >= faster * speed * (1 - 1e-9), reached + " of " + faster * speed);
            assertTrue(value(plan, budget) <= 1, "within the budget");
            assertTrue(cost(costs, plan) >= last - 1e-9, "faster is not nearer");
            last = cost(costs, plan);
            if (faster == 1) {
                assertEquals(any, plan, "a pace that is kept anyway changes nothing");
            }
        }
    }

    private double cost(MatrixCosts costs, Candidate plan) {
        return costs.of(planner.types(plan.plan())).orElseThrow();
    }

    @Test
    void aPaceThatNoPlanKeepsIsRefusedWithTheFastest() {
        Planner paced = planner.at(new Pace(1000, 0, PlannerTest::seconds));
        MatrixCosts costs = costs(name -> 1);
        PlanException.Impossible e = assertThrows(
                PlanException.Impossible.class, () -> paced.allocation(costs, Budget.parse("100%"), Precision.F16));
        assertTrue(e.getMessage().startsWith("1000.0 tokens per second are too many"), e.getMessage());
        assertThrows(
                PlanException.Impossible.class,
                () -> paced.allowed(
                        List.of(planner.allocation(costs, Budget.parse("100%"), Precision.F16)), Budget.parse("100%")));
        assertEquals(
                OptionalDouble.empty(),
                planner.speed(planner.allocation(costs, Budget.parse("100%"), Precision.F16)
                        .plan()));
    }

    @Test
    void whatEveryTokenTakesIsNoPlansToSave() {
        Plan plan = planner.uniformly(Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16)
                .plan();
        double alone =
                planner.at(new Pace(10, 0, PlannerTest::seconds)).speed(plan).orElseThrow();
        double both =
                planner.at(new Pace(10, 0.5, PlannerTest::seconds)).speed(plan).orElseThrow();
        assertEquals(1 / (0.5 + 1 / alone), both, 1e-9);
        assertThrows(IllegalArgumentException.class, () -> new Pace(0, 0, PlannerTest::seconds));
        assertThrows(IllegalArgumentException.class, () -> new Pace(1, -1, PlannerTest::seconds));
    }

    private static MatrixCosts costs(ToDoubleFunction<String> sensitivity) {
        return costs(Models.qwen7B(), sensitivity);
    }

    private static MatrixCosts costs(LayeredModel model, ToDoubleFunction<String> sensitivity) {
        SortedMap<String, SortedMap<GgmlType, Double>> kld = new TreeMap<>();
        Stream.concat(model.outside().stream(), model.layers().stream().flatMap(List::stream))
                .forEach(tensor -> {
                    SortedMap<GgmlType, Double> ofMatrix = new TreeMap<>();
                    TensorTypes.choices(tensor, model.tied())
                            .forEach(type -> ofMatrix.put(
                                    type,
                                    sensitivity.applyAsDouble(tensor.name()) * Math.pow(4, -type.bitsPerWeight())));
                    if (!ofMatrix.isEmpty()) {
                        kld.put(tensor.name(), ofMatrix);
                    }
                });
        return new MatrixCosts(kld);
    }

    private static double bits(Plan plan, String kind) {
        return plan.matrices().entrySet().stream()
                .filter(matrix -> matrix.getKey().contains(kind))
                .mapToDouble(matrix -> matrix.getValue().bitsPerWeight())
                .average()
                .orElseThrow();
    }

    @Test
    void theProjectorIsPartOfTheDeployment() {
        Planner tiny =
                new Planner(TestModels.model(TestModels.QWEN), Optional.of(TestModels.mmproj(TestModels.QWEN)), SHAPE);
        Candidate asItIs = tiny.candidate(Plan.uniform(2, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16));
        Candidate q8 = tiny.candidate(Plan.uniform(2, Precision.Q4_K_M, Precision.Q4_K_M, Precision.Q8_0));

        assertEquals(asItIs.weightBytes(), q8.weightBytes());
        assertTrue(q8.memory().mmproj() < asItIs.memory().mmproj());
    }

    /** IQ1_M takes 76 bytes for 256 weights in panels and 56 in the file; Q4_K is as large in both. */
    @Test
    void aBudgetForEverythingCountsPanels() {
        assumeTrue(CpuFeatures.ofThisMachine().hasKernels());
        ServingShape fast = new ServingShape(8192, 128, 4, 2, 1280, Kernels.FAST);
        Planner inPanels = new Planner(Models.qwen7B(), Optional.empty(), fast);
        List<Candidate> all =
                inPanels.twoLevel(identity(28), Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16);
        Candidate twelve = all.get(12);
        long low = 12 * 233_046_016L;
        assertEquals(twelve.weightBytes() + low / 256.0 * 20, twelve.memory().weights(), twelve.weightBytes() * 0.005);

        Budget everything = new Budget.Deployment(twelve.memory().total());
        assertEquals(twelve, inPanels.choose(all, everything));
        Budget weights = new Budget.Weights(twelve.weightBytes());
        assertEquals(twelve, inPanels.choose(all, weights));
        LayerCosts costs = new LayerCosts(Collections.nCopies(28, Map.of(Precision.IQ1_M, 0.01, Precision.Q4_K, 0.0)));
        Candidate ladder = inPanels.ladder(costs, everything, Precision.Q4_K_M, Precision.F16);
        assertTrue(ladder.memory().total() <= twelve.memory().total(), "the ladder counts panels too");
    }

    @Test
    void whatIsNoLanguageModelIsRefused() {
        assertThrows(
                PlanException.UnsupportedModel.class,
                () -> new Planner(TestModels.mmproj(TestModels.QWEN), Optional.empty(), SHAPE));
    }

    @Test
    void sizesDoNotDecideOnQuality() {
        List<Candidate> all =
                planner.twoLevel(identity(28), Precision.IQ1_M, Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16);
        assertThrows(IllegalArgumentException.class, () -> planner.choose(all, Budget.parse("kld:0.1")));
    }

    private static Ranking identity(int layers) {
        return ranking(IntStream.range(0, layers).boxed().toList());
    }

    private static Ranking ranking(List<Integer> order) {
        return new Ranking(
                RankingMethod.DEPTH, order, order.stream().map(layer -> 0.0).toList(), Map.of());
    }
}
