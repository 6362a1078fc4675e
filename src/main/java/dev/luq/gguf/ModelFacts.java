package dev.luq.gguf;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the catalogue wants to know of a model or projector without loading it.
 *
 * @param architecture general.architecture, such as {@code qwen2vl}; {@code clip} for projectors
 * @param name general.name
 * @param fileType name of general.file_type, such as {@code Q4_K - Medium}; empty when absent or unknown
 * @param projector whether this is a multimodal projector (mmproj) and not a language model
 * @param parameters number of weights
 * @param tensorBytes bytes of their data
 * @param embeddingLength width of the language model's embeddings; empty for projectors
 * @param blockCount layers of the language model; empty for projectors
 * @param contextLength tokens the language model was trained for, 1 or more; empty when absent
 * @param projectionLength width of the embeddings that a projector puts out, for the projector types whose layout is
 *     known here; empty for models and other projectors
 * @param pooling how the file says that embeddings are made; empty when it does not
 * @param encoder see {@link #isEncoder}
 * @param classifier whether it has a classification head, which {@link Pooling#RANK} needs
 */
public record ModelFacts(
        String architecture,
        Optional<String> name,
        Optional<String> fileType,
        boolean projector,
        long parameters,
        long tensorBytes,
        OptionalLong embeddingLength,
        OptionalLong blockCount,
        OptionalLong contextLength,
        OptionalLong projectionLength,
        Optional<Pooling> pooling,
        boolean encoder,
        boolean classifier) {

    private static final String PROJECTOR_ARCHITECTURE = "clip";
    /** Key of a model's file, behind the name of its architecture: whether tokens attend to earlier ones alone. */
    private static final String CAUSAL = ".attention.causal";

    /** @throws GgufException.Malformed when general.architecture is missing */
    public static ModelFacts of(ModelFiles files) {
        Gguf gguf = files.first();
        String architecture = gguf.text("general.architecture")
                .filter(a -> !a.isEmpty())
                .orElseThrow(() -> new GgufException.Malformed(
                        "The file does not name its architecture " + "(general.architecture): it is not a model."));
        Optional<String> fileType = gguf.integer("general.file_type").stream()
                .boxed()
                .flatMap(type -> FileTypes.name(type).stream())
                .findFirst();
        boolean projector = architecture.equals(PROJECTOR_ARCHITECTURE)
                || gguf.text("general.type").filter("mmproj"::equals).isPresent();
        OptionalLong none = OptionalLong.empty();
        return new ModelFacts(
                architecture,
                gguf.text("general.name"),
                fileType,
                projector,
                files.parameters(),
                files.tensorBytes(),
                projector ? none : gguf.integer(architecture + ".embedding_length"),
                projector ? none : gguf.integer(architecture + ".block_count"),
                projector ? none : positive(gguf.integer(architecture + ".context_length")),
                projector ? projectionLength(files) : none,
                gguf.integer(architecture + Pooling.KEY).stream()
                        .mapToObj(Pooling::ofNumber)
                        .findFirst(),
                isEncoder(architecture, gguf.metadata()),
                files.tensor("cls.weight").isPresent()
                        || files.tensor("cls.output.weight").isPresent());
    }

    /** Whether tokens attend to later ones too: such a model reads a text at once and generates none. */
    public static boolean isEncoder(String architecture, Map<String, GgufValue> metadata) {
        return metadata.get(architecture + CAUSAL) instanceof GgufValue.Bool causal && !causal.value();
    }

    /**
     * What its outputs become.
     *
     * @param configured in place of what the file says
     */
    public Pooling pooling(Optional<Pooling> configured) {
        return configured.or(this::pooling).orElse(Pooling.NONE);
    }

    /** Whether it answers prompts with text when it is pooled so, and not with embeddings or scores alone. */
    public boolean generates(Pooling pooling) {
        return !encoder && pooling != Pooling.RANK;
    }

    /** Whether each token of a batch has an output when it is pooled so. */
    public boolean putsOutAll(Pooling pooling) {
        return !generates(pooling) || pooling == Pooling.MEAN;
    }

    private static OptionalLong positive(OptionalLong number) {
        return number.orElse(0) > 0 ? number : OptionalLong.empty();
    }

    /**
     * The output width as {@code clip_n_mmproj_embd} of llama.cpp finds it: the rows of the last matrix.
     */
    private static OptionalLong projectionLength(ModelFiles files) {
        Gguf gguf = files.first();
        String type = projectorType(gguf);
        boolean twoLayers =
                switch (type) {
                    // An mlp with a third matrix is another projector (mlp_norm).
                    case "mlp" ->
                        files.tensor("mm.3.weight").isEmpty()
                                && files.tensor("mm.4.weight").isEmpty();
                    case "qwen2vl_merger", "qwen2.5vl_merger" -> true;
                    default -> false;
                };
        Optional<GgufTensor> last = twoLayers ? files.tensor("mm.2.weight") : Optional.empty();
        return last.map(tensor -> OptionalLong.of(tensor.extent(1))).orElse(OptionalLong.empty());
    }

    /** A projector's type as llama.cpp reads it, such as {@code mlp}; empty where the file says none. */
    public static String projectorType(Gguf projector) {
        return projector
                .text("clip.projector_type")
                .or(() -> projector.text("clip.vision.projector_type"))
                .orElse(projector.flag("clip.has_llava_projector") ? "mlp" : "");
    }

    /** {@code tensorBytes * 8 / parameters}; 0 without parameters. */
    public double bitsPerWeight() {
        return parameters == 0 ? 0 : tensorBytes * 8.0 / parameters;
    }

    /**
     * Checks, called on the language model, that a projector can be its own as far as the files tell.
     *
     * @throws GgufException.Mismatch when it cannot
     */
    public void requireProjector(ModelFacts mmproj) {
        if (projector) {
            throw new GgufException.Mismatch("The file given as model is a multimodal projector (mmproj).");
        }
        if (!mmproj.projector) {
            throw new GgufException.Mismatch("The file given as mmproj is not a multimodal projector but a model of"
                    + " architecture " + mmproj.architecture + ".");
        }
        if (embeddingLength.isPresent()
                && mmproj.projectionLength.isPresent()
                && embeddingLength.getAsLong() != mmproj.projectionLength.getAsLong()) {
            throw new GgufException.Mismatch("The mmproj belongs to another model: it puts out embeddings of "
                    + mmproj.projectionLength.getAsLong() + " values, the model takes " + embeddingLength.getAsLong()
                    + ".");
        }
    }
}
