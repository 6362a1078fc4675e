package dev.luq.requant.quantize;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.llama.Quantizer;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.TensorTypes;
import dev.luq.requant.store.EntryKey;
import dev.luq.requant.store.Fingerprint;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** Which files a plan's model consists of, worked out from headers and digests. */
final class SplitFiles {

    /** Written into keys: to be raised when the same facts lead to other bytes. */
    private static final String FORMAT = "luq-entry-1";
    /** {@code general.quantization_version} that goes with the formats of ggml's blocks. */
    private static final long QUANTIZATION_VERSION = 2;
    /** Types whose code in ggml does not look at importances. */
    private static final Set<GgmlType> INDIFFERENT = Set.of(GgmlType.Q8_0, GgmlType.F16, GgmlType.BF16, GgmlType.F32);

    private final ModelFiles base;
    private final LayeredModel layered;
    private final Fingerprint fingerprint;
    private final Optional<ImportanceMatrix> importance;
    private final ToIntFunction<GgmlType> searchVersion;
    private final Map<String, String> importanceDigests = new HashMap<>();

    /** @param searchVersion {@link Quantizer#searchVersion} */
    SplitFiles(
            ModelFiles base,
            Fingerprint fingerprint,
            Optional<ImportanceMatrix> importance,
            ToIntFunction<GgmlType> searchVersion) {
        this.base = base;
        this.layered = LayeredModel.of(base);
        this.fingerprint = fingerprint;
        this.importance = importance;
        this.searchVersion = searchVersion;
    }

    /**
     * @return split 0 with the tensors outside the layers, then one split for each layer. Where the matrices have types of
     *     their own: split 0 with all other tensors, then one split for each matrix, in the base file's order
     */
    List<SplitFile> of(Plan plan) {
        return plan.isByMatrix() ? byMatrix(plan) : byLayer(plan);
    }

    private List<SplitFile> byLayer(Plan plan) {
        int layers = layered.layers().size();
        if (plan.layers().size() != layers) {
            throw new QuantizeException.WrongPlan(
                    "The plan is for " + plan.layers().size() + " layers, the model has " + layers + ".");
        }
        List<SplitFile> files = new ArrayList<>();
        Map<String, GgufValue> head = new LinkedHashMap<>(base.first().metadata());
        describe(head, plan.outside());
        files.add(split(0, layers + 1, head, layered.outside(), plan));
        for (int layer = 0; layer < layers; layer++) {
            files.add(split(
                    layer + 1,
                    layers + 1,
                    new LinkedHashMap<>(),
                    layered.layers().get(layer),
                    plan));
        }
        return files;
    }

    /** Plans of one model have the same matrices: a matrix has the same number in all of them. */
    private List<SplitFile> byMatrix(Plan plan) {
        List<GgufTensor> matrices = new ArrayList<>();
        List<GgufTensor> others = new ArrayList<>();
        Stream.concat(layered.outside().stream(), layered.layers().stream().flatMap(List::stream))
                .forEach(tensor -> (plan.matrices().containsKey(tensor.name()) ? matrices : others).add(tensor));
        if (matrices.size() != plan.matrices().size()
                || plan.layers().size() != layered.layers().size()) {
            throw new QuantizeException.WrongPlan("The plan is for a model with other matrices.");
        }
        Map<String, GgufValue> head = new LinkedHashMap<>(base.first().metadata());
        describe(head, mostFrequent(plan.layers()));
        List<SplitFile> files = new ArrayList<>(List.of(split(0, matrices.size() + 1, head, others, plan)));
        for (GgufTensor matrix : matrices) {
            files.add(split(files.size(), matrices.size() + 1, new LinkedHashMap<>(), List.of(matrix), plan));
        }
        return files;
    }

    private static Precision mostFrequent(List<Precision> layers) {
        return layers.stream()
                .max(Comparator.<Precision>comparingInt(precision -> Collections.frequency(layers, precision))
                        .thenComparing(Comparator.naturalOrder()))
                .orElseThrow();
    }

    private SplitFile split(
            int number, int count, Map<String, GgufValue> metadata, List<GgufTensor> tensors, Plan plan) {
        long all =
                base.parts().stream().mapToLong(part -> part.tensors().size()).sum();
        metadata.put("split.no", new GgufValue.Int(GgufValueType.UINT16, number));
        metadata.put("split.count", new GgufValue.Int(GgufValueType.UINT16, count));
        metadata.put("split.tensors.count", new GgufValue.Int(GgufValueType.INT32, all));
        return file(base, fingerprint, metadata, tensors, tensor -> TensorTypes.of(plan, tensor, layered.tied()));
    }

    /** @return the projector as a file of its own, its matrices quantized */
    SplitFile projector(ModelFiles mmproj, Fingerprint mmprojFingerprint, Precision precision) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>(mmproj.first().metadata());
        describe(metadata, precision);
        metadata.keySet().removeIf(key -> key.startsWith("split."));
        return file(
                mmproj,
                mmprojFingerprint,
                metadata,
                mmproj.parts().stream().flatMap(part -> part.tensors().stream()).toList(),
                tensor -> TensorTypes.projector(precision, tensor));
    }

    /**
     * Names what the tensors outside the layers are, or most of the layers; everything else a split model can only tell
     * through its tensors.
     */
    private static void describe(Map<String, GgufValue> metadata, Precision precision) {
        if (precision != Precision.F16) {
            metadata.put("general.file_type", GgufValue.uint32(fileType(precision)));
            metadata.put("general.quantization_version", GgufValue.uint32(QUANTIZATION_VERSION));
        }
    }

    /** {@code llama_ftype}'s numbers. */
    private static long fileType(Precision precision) {
        return switch (precision) {
            case IQ1_M -> 31;
            case IQ2_XXS -> 19;
            case IQ2_XS -> 20;
            case IQ2_S -> 28;
            case IQ3_XXS -> 23;
            case IQ3_S -> 26;
            case IQ4_XS -> 30;
            case Q4_K -> 14;
            case Q4_K_M -> 15;
            case Q5_K -> 16;
            case Q6_K -> 18;
            case Q8_0 -> 7;
            case F16 -> 1;
        };
    }

    private SplitFile file(
            ModelFiles files,
            Fingerprint print,
            Map<String, GgufValue> metadata,
            List<GgufTensor> tensors,
            Function<GgufTensor, GgmlType> types) {
        // Where there is more than the split's own keys it is the base file's metadata, of which the print has a
        // digest.
        List<String> facts = new ArrayList<>(List.of(
                FORMAT,
                Llama.build().getProperty("llama.tree"),
                metadata.containsKey("general.architecture") ? print.metadata() : "",
                String.valueOf(metadata.get("general.file_type")),
                String.valueOf(metadata.get("split.no")),
                String.valueOf(metadata.get("split.count")),
                String.valueOf(metadata.get("split.tensors.count"))));
        List<TensorJob> jobs = tensors.stream()
                .map(tensor -> job(files, tensor, types.apply(tensor)))
                .sorted(Comparator.comparing(TensorJob::target, TensorTypes.MAPPED_FIRST))
                .toList();
        for (TensorJob job : jobs) {
            GgufTensor tensor = job.source();
            facts.addAll(List.of(
                    tensor.toString(),
                    print.tensors().get(tensor.name()),
                    method(job.type()),
                    job.importance() == null ? "" : importanceDigest(tensor.name(), job.importance())));
        }
        return new SplitFile(EntryKey.of(facts), metadata, jobs);
    }

    /** The type, and by what its blocks are made unless by ggml. */
    private String method(GgmlType type) {
        int version = searchVersion.applyAsInt(type);
        return version == 0 ? type.name() : type.name() + " search " + version;
    }

    private TensorJob job(ModelFiles files, GgufTensor tensor, GgmlType type) {
        for (int i = 0; i < files.parts().size(); i++) {
            Gguf part = files.parts().get(i);
            if (part.tensor(tensor.name()).isPresent()) {
                Path path = files.paths().get(i);
                return new TensorJob(tensor, path, part.offset(tensor.name()), type, importance(tensor, type));
            }
        }
        throw new IllegalArgumentException("no tensor " + tensor.name());
    }

    private float[] importance(GgufTensor tensor, GgmlType type) {
        if (type == tensor.type() || INDIFFERENT.contains(type)) {
            return null;
        }
        if (!TensorTypes.isSource(tensor.type())) {
            throw new QuantizeException.UnsuitableSource("The base model is quantized already: tensor " + tensor.name()
                    + " is " + tensor.type() + ". Use the F16, BF16, F32 or Q8_0 file of the model.");
        }
        Optional<float[]> means = importance.flatMap(matrix -> matrix.means(tensor.name()));
        if (means.isEmpty() && TensorTypes.needsImportance(type)) {
            throw new QuantizeException.MissingImportance(tensor.name(), type);
        }
        long expected = tensor.extent(0) * tensor.extent(2);
        if (means.isPresent() && means.get().length != expected) {
            throw new QuantizeException.MissingImportance(tensor.name(), (int) expected, means.get().length);
        }
        return means.orElse(null);
    }

    private String importanceDigest(String tensor, float[] means) {
        return importanceDigests.computeIfAbsent(tensor, name -> {
            ByteBuffer bytes = ByteBuffer.allocate(means.length * Float.BYTES);
            bytes.asFloatBuffer().put(means);
            return EntryKey.of(bytes).hex();
        });
    }
}
