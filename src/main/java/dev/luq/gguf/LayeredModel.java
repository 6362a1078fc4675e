package dev.luq.gguf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A language model's tensors, told apart by layer.
 *
 * @param metadata of the file
 * @param outside tensors that belong to no layer, in the file's order
 * @param layers tensors of each layer, in the file's order
 */
public record LayeredModel(Map<String, GgufValue> metadata, List<GgufTensor> outside, List<List<GgufTensor>> layers) {

    /** The embeddings of tokens. */
    public static final String EMBEDDING = "token_embd.weight";
    /** The matrix that makes the logits; {@link #tied} models have none. */
    public static final String OUTPUT = "output.weight";

    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,5})\\..+");

    /** As many as llama.cpp loads (LLAMA_MAX_LAYERS in llama-hparams.h). */
    static final int MOST_LAYERS = 512;

    public LayeredModel {
        outside = List.copyOf(outside);
        layers = layers.stream().map(List::copyOf).toList();
    }

    /**
     * @throws GgufException when the file is a projector, does not name its architecture, or has other layers than it
     *     announces
     */
    public static LayeredModel of(ModelFiles files) {
        ModelFacts facts = ModelFacts.of(files);
        if (facts.projector()) {
            throw new GgufException.Unsupported("The file is a multimodal projector (mmproj), not a language model.");
        }
        return of(
                files.first().metadata(),
                facts.blockCount(),
                files.parts().stream().flatMap(part -> part.tensors().stream()));
    }

    /**
     * Of a table of tensors.
     *
     * @param blockCount layers that there must be; empty where the file says nothing
     * @throws GgufException.Unsupported when the layers are others
     */
    public static LayeredModel of(
            Map<String, GgufValue> metadata, OptionalLong blockCount, Stream<GgufTensor> tensors) {
        List<GgufTensor> outside = new ArrayList<>();
        List<List<GgufTensor>> layers = new ArrayList<>();
        tensors.forEach(tensor -> {
            Optional<Integer> layer = layerOf(tensor.name());
            if (layer.isEmpty()) {
                outside.add(tensor);
                return;
            }
            if (layer.get() >= MOST_LAYERS) {
                throw new GgufException.Unsupported(
                        "The model has more than " + MOST_LAYERS + " layers: tensor " + tensor.name() + ".");
            }
            while (layers.size() <= layer.get()) {
                layers.add(new ArrayList<>());
            }
            layers.get(layer.get()).add(tensor);
        });
        if (layers.isEmpty()
                || blockCount.orElse(layers.size()) != layers.size()
                || layers.stream().anyMatch(List::isEmpty)) {
            throw new GgufException.Unsupported("The model announces " + blockCount.orElse(0) + " layers, but its"
                    + " tensors (blk.0 and so on) are those of "
                    + layers.stream().filter(l -> !l.isEmpty()).count() + ".");
        }
        return new LayeredModel(metadata, outside, layers);
    }

    /** The layer that a tensor's name tells, from 0; empty for a tensor outside the layers. */
    public static Optional<Integer> layerOf(String tensor) {
        Matcher name = LAYER.matcher(tensor);
        return name.matches() ? Optional.of(Integer.valueOf(name.group(1))) : Optional.empty();
    }

    /** Whether the embeddings serve as output too. */
    public boolean tied() {
        return outside.stream().noneMatch(tensor -> tensor.name().equals(OUTPUT));
    }

    /** See {@link ModelFacts#isEncoder}. */
    public boolean isEncoder() {
        return metadata.get("general.architecture") instanceof GgufValue.Text architecture
                && ModelFacts.isEncoder(architecture.value(), metadata);
    }

    /** Values of an embedding. */
    public long width() {
        return embeddings().map(tensor -> tensor.extent(0)).orElse(0L);
    }

    /** Tokens. */
    public long vocabulary() {
        return embeddings().map(tensor -> tensor.extent(1)).orElse(0L);
    }

    private Optional<GgufTensor> embeddings() {
        return outside.stream()
                .filter(tensor -> tensor.name().equals(EMBEDDING))
                .findFirst();
    }

    /** Number of weights. */
    public long parameters() {
        return Stream.concat(outside.stream(), layers.stream().flatMap(List::stream))
                .mapToLong(GgufTensor::elements)
                .sum();
    }
}
