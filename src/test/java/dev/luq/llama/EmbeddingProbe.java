package dev.luq.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.machine.Kernels;
import java.util.List;

/**
 * A process with our kernels that compares the embeddings of the reference's pictures: model, picture, mean cosine. Then those
 * of a picture that is encoded in pieces with those of the same encoded at once: model, {@link #IN_PIECES}, largest
 * difference.
 */
public final class EmbeddingProbe {

    static final String IN_PIECES = "in pieces";

    private EmbeddingProbe() {}

    public static void main(String[] args) {
        Llama.init(line -> {});
        System.out.println(Llama.enableKernels(Kernels.FAST));
        for (String name : List.of(TinyModels.LLAVA, TinyModels.QWEN)) {
            try (Vision vision = TinyModels.vision(name)) {
                for (JsonNode image : TinyModels.description(name).get("images")) {
                    String file = image.get("image").textValue();
                    System.out.printf("%s %s %.7f%n", name, file, meanCosine(vision, image, file));
                }
                System.out.printf("%s %s %.7f%n", name, IN_PIECES, differenceInPieces(vision));
            }
        }
    }

    private static double meanCosine(Vision vision, JsonNode reference, String file) {
        float[] expected =
                TinyModels.floats(reference.get("embeddings").get("file").textValue());
        try (ImageChunk chunk = (ImageChunk) vision.tokenize(List.of(TinyModels.image(file)), false).stream()
                        .filter(ImageChunk.class::isInstance)
                        .findFirst()
                        .orElseThrow();
                ImageEmbedding embedding = vision.encode(chunk)) {
            float[] actual = TinyModels.copy(embedding.data());
            double sum = 0;
            for (int i = 0; i < embedding.tokens(); i++) {
                sum += TinyModels.cosine(expected, actual, i * embedding.embeddingSize(), embedding.embeddingSize());
            }
            return sum / embedding.tokens();
        }
    }

    private static double differenceInPieces(Vision vision) {
        try (ImageChunk chunk = VisionTest.imageChunk(vision, VisionTest.large());
                ImageEmbedding inPieces = vision.encode(chunk, share -> true)) {
            float[] pieces = TinyModels.copy(inPieces.data());
            float[] whole = VisionTest.encoded(vision, chunk);
            double largest = 0;
            for (int i = 0; i < whole.length; i++) {
                largest = Math.max(largest, Math.abs(whole[i] - pieces[i]));
            }
            return largest;
        }
    }
}
