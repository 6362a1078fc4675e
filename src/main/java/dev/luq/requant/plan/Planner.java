package dev.luq.requant.plan;

import static dev.luq.files.Units.MIB;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.memory.MemoryEstimate;
import dev.luq.memory.MemoryModel;
import dev.luq.memory.ServingShape;
import dev.luq.memory.WeightMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.DoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Says what plans take and finds those that fit, from file headers alone: nothing is quantized, nothing is read but the
 * headers. Immutable.
 */
public final class Planner {

    /** Nats that a second is worth at first, when a plan has to become faster; and by how much that grows. */
    private static final double FIRST_PRICE = 1e-3;

    private static final double DEARER = 8;
    /** Nobody pays more: by then the fastest types that fit are taken. */
    private static final double LAST_PRICE = 1e12;
    /** How near a price that is too low and one that is enough come to each other, as a share of that. */
    private static final double SAME_PRICE = 0.01;
    /** Of the speed asked for, what a plan may have too much. */
    private static final double NEAR = 1.005;

    private final LayeredModel model;
    private final List<GgufTensor> projector;
    private final MemoryModel memory;
    private final WeightMemory weights;
    private final long parameters;
    private final long q4KMBytes;
    private final Optional<Pace> pace;

    /**
     * @param model the base model
     * @param mmproj its projector, if it has one
     * @throws PlanException.UnsupportedModel when its layers cannot be told apart, or it is quantized already
     */
    public Planner(ModelFiles model, Optional<ModelFiles> mmproj, ServingShape shape) {
        this(unquantized(layered(model)), mmproj, shape);
    }

    /** The same of a model that need not exist. */
    public Planner(LayeredModel model, Optional<ModelFiles> mmproj, ServingShape shape) {
        this.model = model;
        this.projector = mmproj.stream()
                .flatMap(files -> files.parts().stream())
                .flatMap(part -> part.tensors().stream())
                .toList();
        this.memory = new MemoryModel(model, mmproj, shape);
        this.weights = new WeightMemory(shape.kernels());
        this.parameters = model.parameters();
        this.q4KMBytes = weightBytes(uniform(Precision.Q4_K_M, Precision.Q4_K_M, Precision.F16));
        this.pace = Optional.empty();
    }

    private Planner(Planner other, Pace pace) {
        this.model = other.model;
        this.projector = other.projector;
        this.memory = other.memory;
        this.weights = other.weights;
        this.parameters = other.parameters;
        this.q4KMBytes = other.q4KMBytes;
        this.pace = Optional.of(pace);
    }

    /** The same planner, whose plans for a budget also keep a pace. */
    public Planner at(Pace wanted) {
        return new Planner(this, wanted);
    }

    /** Tokens per second that are expected of a plan; empty without a {@linkplain #at pace}. */
    public OptionalDouble speed(Plan plan) {
        return pace.map(p -> OptionalDouble.of(p.expected(tensors(plan)))).orElse(OptionalDouble.empty());
    }

    private boolean keepsPace(Plan plan) {
        return pace.isEmpty() || speed(plan).getAsDouble() >= pace.get().tokensPerSecond();
    }

    /** What tensors take of a token's time, at a price in nats per second. */
    private double timeCost(double price, Stream<GgufTensor> tensors) {
        return price == 0
                ? 0
                : price * tensors.mapToDouble(pace.orElseThrow().seconds()).sum();
    }

    private static LayeredModel layered(ModelFiles model) {
        try {
            return LayeredModel.of(model);
        } catch (GgufException.Unsupported e) {
            throw new PlanException.UnsupportedModel(e.getMessage());
        }
    }

    private static LayeredModel unquantized(LayeredModel model) {
        model.layers().stream()
                .flatMap(List::stream)
                .filter(tensor -> tensor.shape().size() > 1 && !TensorTypes.isSource(tensor.type()))
                .findFirst()
                .ifPresent(tensor -> {
                    throw new PlanException.UnsupportedModel(
                            "The base model is quantized already: tensor " + tensor.name() + " is " + tensor.type()
                                    + ". Use the F16, BF16, F32 or Q8_0 file of the model.");
                });
        return model;
    }

    /** Whether matrices are stacks of experts, of which a token passes a few: what goes into each is not measured. */
    public boolean hasExperts() {
        return matrices().stream().anyMatch(TensorTypes::isStack);
    }

    /** Layers of the model. */
    public int layerCount() {
        return model.layers().size();
    }

    /** Bytes of the language model's tensors as llama.cpp's Q4_K_M, which ratios refer to. */
    public long q4KMBytes() {
        return q4KMBytes;
    }

    private Plan uniform(Precision layers, Precision outside, Precision mmproj) {
        return Plan.uniform(layerCount(), layers, outside, mmproj);
    }

    /** The plan that treats all layers alike. */
    public Candidate uniformly(Precision layers, Precision outside, Precision mmproj) {
        return candidate(uniform(layers, outside, mmproj));
    }

    /** What a plan takes. */
    public Candidate candidate(Plan plan) {
        if (plan.layers().size() != layerCount()) {
            throw new IllegalArgumentException("a plan of " + plan.layers().size() + " layers for " + layerCount());
        }
        long weights = weightBytes(plan);
        return new Candidate(
                plan,
                weights,
                weights * 8.0 / parameters,
                (double) weights / q4KMBytes,
                memory.estimate(residentBytes(plan), projectorBytes(plan.mmproj())));
    }

    /**
     * All plans of a ranking: element k has the first k layers low. All are of the same outside and projector precision.
     */
    public List<Candidate> twoLevel(
            Ranking ranking, Precision low, Precision high, Precision outside, Precision mmproj) {
        return IntStream.rangeClosed(0, ranking.order().size())
                .mapToObj(k -> candidate(Plan.twoLevel(ranking.order(), k, low, high, outside, mmproj)))
                .toList();
    }

    /**
     * The largest candidate that a budget allows; of equally large ones the first.
     *
     * @param budget {@link Budget#isOfSize of size}
     * @throws PlanException.Impossible when all are larger
     */
    public Candidate choose(List<Candidate> candidates, Budget budget) {
        return allowed(candidates, budget).stream()
                .max(Comparator.comparingLong(Candidate::weightBytes))
                .orElseThrow();
    }

    /**
     * The candidates that a budget allows, and the pace, at least one.
     *
     * @param budget {@link Budget#isOfSize of size}
     * @throws PlanException.Impossible when all are larger or slower
     */
    public List<Candidate> allowed(List<Candidate> candidates, Budget budget) {
        long limit = limit(budget);
        List<Candidate> allowed = candidates.stream()
                .filter(candidate -> bytes(candidate, budget) <= limit)
                .toList();
        if (allowed.isEmpty()) {
            throw impossible(
                    budget,
                    candidates.stream()
                            .min(Comparator.comparingLong(candidate -> bytes(candidate, budget)))
                            .orElseThrow());
        }
        List<Candidate> fast = allowed.stream()
                .filter(candidate -> keepsPace(candidate.plan()))
                .toList();
        if (fast.isEmpty()) {
            throw tooSlow(allowed.stream()
                    .max(Comparator.comparingDouble(
                            candidate -> speed(candidate.plan()).getAsDouble()))
                    .orElseThrow());
        }
        return fast;
    }

    /**
     * The cheapest plan that keeps the pace: what time costs is raised until it does, and lowered as far as it still does.
     * There may be a cheaper plan between two prices; it would be dearer by less than the price of the speed that this one
     * has too much.
     *
     * @param atPrice the cheapest plan within the budget where a second of a token's time costs so many nats
     * @throws PlanException.TooSlow none does
     */
    private Candidate paced(DoubleFunction<Candidate> atPrice) {
        Candidate plan = atPrice.apply(0);
        if (keepsPace(plan.plan())) {
            return plan;
        }
        double tooLow = 0;
        double enough = FIRST_PRICE;
        plan = atPrice.apply(enough);
        while (!keepsPace(plan.plan())) {
            if (enough > LAST_PRICE) {
                throw tooSlow(plan);
            }
            tooLow = enough;
            enough *= DEARER;
            plan = atPrice.apply(enough);
        }
        double wanted = pace.orElseThrow().tokensPerSecond();
        while (enough - tooLow > SAME_PRICE * enough && speed(plan.plan()).getAsDouble() > NEAR * wanted) {
            double middle = (tooLow + enough) / 2;
            Candidate between = atPrice.apply(middle);
            if (keepsPace(between.plan())) {
                enough = middle;
                plan = between;
            } else {
                tooLow = middle;
            }
        }
        return plan;
    }

    private PlanException.TooSlow tooSlow(Candidate fastest) {
        double speed = speed(fastest.plan()).getAsDouble();
        return new PlanException.TooSlow(
                String.format(
                        Locale.ROOT,
                        "%.1f tokens per second are too many: the fastest plan within the budget is expected to generate"
                                + " %.1f on this machine. Ask for fewer, or allow more memory.",
                        pace.orElseThrow().tokensPerSecond(),
                        speed),
                fastest.weightBytes(),
                speed);
    }

    /**
     * The plan of least summed KL divergence that a budget allows, and the pace, each layer at any precision that was
     * measured for it.
     *
     * @param budget {@link Budget#isOfSize of size}
     * @throws PlanException.Impossible when the smallest precisions are too large, or the fastest too slow
     */
    public Candidate ladder(LayerCosts costs, Budget budget, Precision outside, Precision mmproj) {
        return paced(price -> ladder(costs, budget, outside, mmproj, price));
    }

    private Candidate ladder(LayerCosts costs, Budget budget, Precision outside, Precision mmproj, double price) {
        if (costs.kld().size() != layerCount()) {
            throw new IllegalArgumentException("costs of " + costs.kld().size() + " layers for " + layerCount());
        }
        List<List<Knapsack.Option<Precision>>> options = new ArrayList<>();
        for (int layer = 0; layer < layerCount(); layer++) {
            List<Knapsack.Option<Precision>> ofLayer = new ArrayList<>();
            for (Map.Entry<Precision, Double> cost : costs.kld().get(layer).entrySet()) {
                ofLayer.add(new Knapsack.Option<>(
                        cost.getKey(),
                        layerBytes(layer, cost.getKey(), budget),
                        cost.getValue() + timeCost(price, layerTensors(layer, cost.getKey()))));
            }
            options.add(ofLayer);
        }
        Plan any = uniform(Precision.Q4_K_M, outside, mmproj);
        long layers = IntStream.range(0, layerCount())
                .mapToLong(i -> layerBytes(i, any.layers().get(i), budget))
                .sum();
        long limit = limit(budget) - (bytes(candidate(any), budget) - layers);
        return candidate(new Plan(
                Knapsack.cheapest(options, limit)
                        .orElseThrow(() ->
                                impossible(budget, candidate(new Plan(Knapsack.smallest(options), outside, mmproj)))),
                outside,
                mmproj));
    }

    /**
     * The plan of least summed KL divergence that a budget allows, and the pace, each matrix at any of its
     * {@linkplain TensorTypes#choices choices} that it has a cost for.
     *
     * @param costs of all matrices that can be quantized
     * @param budget {@link Budget#isOfSize of size}
     * @throws PlanException.Impossible when the smallest types are too large, or the fastest too slow
     */
    public Candidate allocation(MatrixCosts costs, Budget budget, Precision mmproj) {
        return paced(price -> allocation(costs, budget, mmproj, price));
    }

    private Candidate allocation(MatrixCosts costs, Budget budget, Precision mmproj, double price) {
        List<GgufTensor> matrices = matrices();
        List<List<Knapsack.Option<GgmlType>>> options = new ArrayList<>();
        Plan any = uniform(Precision.Q4_K_M, Precision.Q4_K_M, mmproj);
        long inMatrices = matrices.stream()
                .mapToLong(matrix -> bytes(as(any, matrix), budget))
                .sum();
        long limit = limit(budget) - (bytes(candidate(any), budget) - inMatrices);
        for (GgufTensor matrix : matrices) {
            options.add(choices(costs, matrix)
                    .map(cost -> new Knapsack.Option<>(
                            cost.getKey(),
                            bytes(as(cost.getKey(), matrix), budget),
                            cost.getValue() + timeCost(price, Stream.of(as(cost.getKey(), matrix)))))
                    .toList());
        }
        return candidate(byMatrix(
                matrices,
                Knapsack.cheapest(options, limit)
                        .orElseThrow(() ->
                                impossible(budget, candidate(byMatrix(matrices, Knapsack.smallest(options), mmproj)))),
                mmproj));
    }

    /** What llama.cpp makes of the model under one of its file types, as types of matrices. */
    public Candidate mix(Mix mix, Precision mmproj) {
        List<GgufTensor> matrices = matrices();
        return candidate(byMatrix(
                matrices,
                matrices.stream().map(matrix -> mix.type(matrix, model)).toList(),
                mmproj));
    }

    /** The model as each mix, without those that give experts a type that needs importances. */
    public List<Candidate> mixes(Precision mmproj) {
        List<GgufTensor> matrices = matrices();
        return Arrays.stream(Mix.values())
                .filter(mix -> matrices.stream().allMatch(matrix -> TensorTypes.isFor(mix.type(matrix, model), matrix)))
                .map(mix -> mix(mix, mmproj))
                .toList();
    }

    /** Each matrix at the smallest type that it has a cost for. */
    public Candidate smallestAllocation(MatrixCosts costs, Precision mmproj) {
        return allocation(costs, mmproj, Comparator.naturalOrder());
    }

    /** Each matrix at the largest type that it has a cost for. */
    public Candidate largestAllocation(MatrixCosts costs, Precision mmproj) {
        return allocation(costs, mmproj, Comparator.reverseOrder());
    }

    private Candidate allocation(MatrixCosts costs, Precision mmproj, Comparator<Long> bytes) {
        List<GgufTensor> matrices = matrices();
        return candidate(byMatrix(
                matrices,
                matrices.stream()
                        .map(matrix -> choices(costs, matrix)
                                .map(Map.Entry::getKey)
                                .min(Comparator.comparing(
                                        type -> as(type, matrix).bytes(), bytes))
                                .orElseThrow())
                        .toList(),
                mmproj));
    }

    /** Types that an allocation may give a matrix, with their costs. */
    private Stream<Map.Entry<GgmlType, Double>> choices(MatrixCosts costs, GgufTensor matrix) {
        List<GgmlType> choices = TensorTypes.choices(matrix, model.tied());
        return costs.kld().get(matrix.name()).entrySet().stream().filter(cost -> choices.contains(cost.getKey()));
    }

    /** The smallest plan of those that have types by matrix. */
    private Candidate smallestAllocation(Precision mmproj, Budget budget) {
        List<GgufTensor> matrices = matrices();
        return candidate(byMatrix(
                matrices,
                matrices.stream()
                        .map(matrix -> TensorTypes.choices(matrix, model.tied()).stream()
                                .min(Comparator.comparingLong(type -> bytes(as(type, matrix), budget)))
                                .orElseThrow())
                        .toList(),
                mmproj));
    }

    /** Matrices that an allocation chooses a type for, in the file's order. */
    private List<GgufTensor> matrices() {
        return Stream.concat(model.outside().stream(), model.layers().stream().flatMap(List::stream))
                .filter(tensor -> !TensorTypes.choices(tensor, model.tied()).isEmpty())
                .toList();
    }

    private Plan byMatrix(List<GgufTensor> matrices, List<GgmlType> types, Precision mmproj) {
        SortedMap<String, GgmlType> byName = new TreeMap<>();
        for (int i = 0; i < matrices.size(); i++) {
            byName.put(matrices.get(i).name(), types.get(i));
        }
        return byMatrix(byName, mmproj);
    }

    /**
     * A plan by types of matrices.
     *
     * @param types of all matrices that can be quantized, by name
     */
    public Plan byMatrix(SortedMap<String, GgmlType> types, Precision mmproj) {
        Plan exact = new Plan(uniform(Precision.F16, Precision.F16, mmproj).layers(), Precision.F16, mmproj, types);
        List<Precision> layers = IntStream.range(0, layerCount())
                .mapToObj(layer -> nearest(
                        sum(model.layers().get(layer).stream()
                                .map(tensor -> as(exact, tensor).bytes())),
                        precision -> layerBytes(layer, precision)))
                .toList();
        Precision outside = nearest(
                sum(model.outside().stream().map(tensor -> as(exact, tensor).bytes())),
                precision -> sum(model.outside().stream()
                        .map(tensor -> as(TensorTypes.outside(precision, tensor, model.tied()), tensor)
                                .bytes())));
        return new Plan(layers, outside, mmproj, types);
    }

    /** Matrices with rows that are no whole blocks of 256 weights: most types are not for them. */
    public int narrowMatrices() {
        return (int) matrices().stream()
                .filter(matrix -> matrix.extent(0) % GgmlType.Q4_K.blockSize() != 0)
                .count();
    }

    /** The type of each matrix in a plan, of those that an allocation chooses a type for. */
    public SortedMap<String, GgmlType> types(Plan plan) {
        SortedMap<String, GgmlType> types = new TreeMap<>();
        matrices().forEach(matrix -> types.put(matrix.name(), TensorTypes.of(plan, matrix, model.tied())));
        return types;
    }

    /** The precision that takes as many bytes, or about as many; of several the largest. */
    private static Precision nearest(long bytes, ToLongFunction<Precision> taken) {
        return Arrays.stream(Precision.values())
                .min(Comparator.<Precision>comparingLong(precision -> Math.abs(taken.applyAsLong(precision) - bytes))
                        .thenComparing(Comparator.reverseOrder()))
                .orElseThrow();
    }

    /**
     * Whether a budget can be met at all, before anything is measured.
     *
     * @param budget one of quality is not known to be impossible
     * @param layers precisions that a layer may have
     * @param projectors precisions that the projector may have
     * @throws PlanException.Impossible when the smallest of these plans is larger
     */
    public void requirePossible(
            Budget budget, Collection<Precision> layers, Precision outside, Collection<Precision> projectors) {
        if (!budget.isOfSize()) {
            return;
        }
        List<Precision> smallest = IntStream.range(0, layerCount())
                .mapToObj(layer -> layers.stream()
                        .min(Comparator.comparingLong(precision -> layerBytes(layer, precision, budget)))
                        .orElseThrow())
                .toList();
        choose(
                projectors.stream()
                        .map(projector -> candidate(new Plan(smallest, outside, projector)))
                        .toList(),
                budget);
    }

    /**
     * The same of plans that give each matrix a type of its own.
     *
     * @throws PlanException.Impossible when the smallest of these plans is larger
     */
    public void requireAllocation(Budget budget, Collection<Precision> projectors) {
        if (budget.isOfSize()) {
            choose(
                    projectors.stream()
                            .map(projector -> smallestAllocation(projector, budget))
                            .toList(),
                    budget);
        }
    }

    /**
     * The same of llama.cpp's mixes.
     *
     * @throws PlanException.Impossible when the smallest of them is larger
     */
    public void requireMix(Budget budget, Collection<Precision> projectors) {
        if (budget.isOfSize()) {
            choose(
                    projectors.stream()
                            .flatMap(projector -> mixes(projector).stream())
                            .toList(),
                    budget);
        }
    }

    /** What a budget counts of a candidate. */
    private static long bytes(Candidate candidate, Budget budget) {
        return budget instanceof Budget.Deployment ? candidate.memory().total() : candidate.weightBytes();
    }

    /** The same of one tensor. */
    private long bytes(GgufTensor tensor, Budget budget) {
        return budget instanceof Budget.Deployment ? resident(tensor) : tensor.bytes();
    }

    /** The same of one layer. */
    private long layerBytes(int layer, Precision precision, Budget budget) {
        return sum(layerTensors(layer, precision).map(tensor -> bytes(tensor, budget)));
    }

    private long layerBytes(int layer, Precision precision) {
        return sum(layerTensors(layer, precision).map(GgufTensor::bytes));
    }

    /** How much of that a budget allows. */
    private long limit(Budget budget) {
        if (budget instanceof Budget.Deployment b) {
            return b.bytes();
        } else if (budget instanceof Budget.Weights b) {
            return b.bytes();
        } else if (budget instanceof Budget.BitsPerWeight b) {
            return (long) Math.floor(b.bits() * parameters / 8);
        } else if (budget instanceof Budget.RatioToQ4KM b) {
            return (long) Math.floor(b.ratio() * q4KMBytes);
        }
        throw new IllegalArgumentException("sizes do not decide on " + budget.text());
    }

    private PlanException.Impossible impossible(Budget budget, Candidate smallest) {
        if (budget instanceof Budget.Deployment b) {
            MemoryEstimate parts = smallest.memory();
            return new PlanException.Impossible(
                    "A budget of " + mebibytes(b.bytes()) + " for everything is too small: the"
                            + " smallest possible is " + mebibytes(parts.total()) + " (weights "
                            + mebibytes(parts.weights())
                            + ", projector " + mebibytes(parts.mmproj()) + ", KV cache " + mebibytes(parts.kvCache())
                            + ", compute buffers " + mebibytes(parts.compute()) + ", processes "
                            + mebibytes(parts.processes())
                            + "). A shorter context"
                            + (smallest.plan().mmproj() == Precision.F16 && parts.mmproj() > 0
                                    ? " or a projector of Q8_0"
                                    : "")
                            + " takes less.",
                    parts.total());
        }
        long bytes = smallest.weightBytes();
        return new PlanException.Impossible(
                String.format(
                        Locale.ROOT,
                        "A budget of %s is too small: the smallest"
                                + " possible is %s of weights, that is %.2f bpw or %.1f%% of Q4_K_M.",
                        budget.text(),
                        mebibytes(bytes),
                        smallest.bitsPerWeight(),
                        smallest.ratioToQ4KM() * 100),
                bytes);
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / MIB);
    }

    private long weightBytes(Plan plan) {
        return sum(tensors(plan).map(GgufTensor::bytes));
    }

    /** In memory; the files are ordered so that nothing is there twice. */
    private long residentBytes(Plan plan) {
        return sum(tensors(plan).map(this::resident));
    }

    private long resident(GgufTensor tensor) {
        return weights.bytes(tensor) + (model.tied() ? weights.outputCopy(tensor) : 0);
    }

    /** The language model's tensors as they will be. */
    private Stream<GgufTensor> tensors(Plan plan) {
        return Stream.concat(model.outside().stream(), model.layers().stream().flatMap(List::stream))
                .map(tensor -> as(plan, tensor));
    }

    private GgufTensor as(Plan plan, GgufTensor tensor) {
        return as(TensorTypes.of(plan, tensor, model.tied()), tensor);
    }

    private Stream<GgufTensor> layerTensors(int layer, Precision precision) {
        return model.layers().get(layer).stream()
                .map(tensor -> as(precision.type(tensor, layer, layerCount()), tensor));
    }

    private long projectorBytes(Precision precision) {
        return sum(projector.stream().map(tensor -> as(TensorTypes.projector(precision, tensor), tensor)
                .bytes()));
    }

    private static GgufTensor as(GgmlType type, GgufTensor tensor) {
        return new GgufTensor(tensor.name(), type, tensor.shape());
    }

    private static long sum(Stream<Long> bytes) {
        return bytes.mapToLong(Long::longValue).sum();
    }
}
