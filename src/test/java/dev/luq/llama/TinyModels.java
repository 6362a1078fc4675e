package dev.luq.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.machine.KvType;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.imageio.ImageIO;

/** The random-weight models of src/test/resources/reference and the demo model, loaded once for all tests. */
final class TinyModels {

    static final String LLAVA = "llava-tiny";
    static final String QWEN = "qwen2.5-vl-tiny";

    /** The trained model of models/demo; only its greedy answers are described. */
    static final String DEMO = "luq-demo";

    static final String MEDIA_MARKER = "<__media__>";

    private static final Path DIRECTORY = Path.of("src/test/resources/reference");
    private static final Path DEMO_DIRECTORY = Path.of("models/demo");
    private static final Map<String, Model> MODELS = new ConcurrentHashMap<>();

    static {
        Llama.init(line -> {});
    }

    private TinyModels() {}

    static Model model(String name) {
        return MODELS.computeIfAbsent(name, n -> Model.load(List.of(modelFile(n))));
    }

    static Path modelFile(String name) {
        return directory(name).resolve(name + "-F16.gguf");
    }

    static Path mmprojFile(String name) {
        return directory(name).resolve("mmproj-" + name + "-F16.gguf");
    }

    private static Path directory(String name) {
        return name.equals(DEMO) ? DEMO_DIRECTORY : DIRECTORY;
    }

    static Vision vision(String name) {
        return Vision.open(mmprojFile(name), model(name), new VisionOptions(1, 0));
    }

    /** A context whose numbers are as exact as the model's. */
    static Context context(String name, int sequences) {
        return Context.create(model(name), new ContextOptions(512, 128, sequences, 1, KvType.F32, false));
    }

    static JsonNode description(String name) {
        try {
            return new ObjectMapper().readTree(DIRECTORY.resolve(name + ".json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static float[] floats(String file) {
        try {
            FloatBuffer buffer = ByteBuffer.wrap(Files.readAllBytes(DIRECTORY.resolve(file)))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer();
            float[] floats = new float[buffer.remaining()];
            buffer.get(floats);
            return floats;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static PromptPart.Image image(String file) {
        return image(DIRECTORY, file);
    }

    /** An image as the model's description names it. */
    static PromptPart.Image image(String name, String file) {
        return image(name.equals(DEMO) ? DEMO_DIRECTORY.resolve("examples") : DIRECTORY, file);
    }

    private static PromptPart.Image image(Path directory, String file) {
        try {
            BufferedImage image = ImageIO.read(directory.resolve(file).toFile());
            byte[] rgb = new byte[3 * image.getWidth() * image.getHeight()];
            int i = 0;
            for (int y = 0; y < image.getHeight(); y++) {
                for (int x = 0; x < image.getWidth(); x++) {
                    int pixel = image.getRGB(x, y);
                    rgb[i++] = (byte) (pixel >> 16);
                    rgb[i++] = (byte) (pixel >> 8);
                    rgb[i++] = (byte) pixel;
                }
            }
            return new PromptPart.Image(image.getWidth(), image.getHeight(), rgb, file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ints(JsonNode array) {
        int[] ints = new int[array.size()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = array.get(i).intValue();
        }
        return ints;
    }

    /** Evaluates a text and returns the logits of the token after it. */
    static float[] logits(Context context, int[] tokens, int sequence) {
        try (TokenBatch batch = TokenBatch.create(tokens.length)) {
            int last = 0;
            for (int i = 0; i < tokens.length; i++) {
                last = batch.add(tokens[i], i, sequence, i == tokens.length - 1);
            }
            context.decode(batch);
            return copy(context.logits(last));
        }
    }

    static float[] copy(FloatBuffer buffer) {
        float[] copy = new float[buffer.remaining()];
        buffer.get(copy);
        return copy;
    }

    static double cosine(float[] a, float[] b, int from, int count) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = from; i < from + count; i++) {
            dot += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(aa * bb);
    }
}
