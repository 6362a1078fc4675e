package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Integration;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.llama.ModelQuantizer;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class ErrorRankingTest {

    private static final Path BASE = Path.of("src/test/resources/reference/qwen2.5-vl-tiny-F16.gguf");

    @TempDir
    Path folder;

    @BeforeAll
    static void loadLibraries() {
        Llama.init(line -> {});
    }

    /** Column c of each matrix matters c + 1. */
    private static ImportanceMatrix importance() throws Exception {
        TreeMap<String, ImportanceMatrix.Entry> entries = new TreeMap<>();
        for (GgufTensor tensor : Gguf.read(BASE).tensors()) {
            if (tensor.extent(1) > 1) {
                float[] sums = new float[(int) tensor.extent(0)];
                for (int i = 0; i < sums.length; i++) {
                    sums[i] = i + 1;
                }
                entries.put(tensor.name(), ImportanceMatrix.Entry.dense(sums, 1));
            }
        }
        return new ImportanceMatrix(entries, List.of("test"), 1, 1);
    }

    private ModelFiles q8() throws Exception {
        Path file = folder.resolve("q8.gguf");
        ModelQuantizer.quantize(
                BASE,
                file,
                new ModelQuantizer.Options(ModelQuantizer.FileType.Q8_0, false, Map.of(), Optional.empty(), 1));
        return ModelFiles.of(List.of(file));
    }

    /** Q8_0 is simple enough to be read here: blocks of 32 bytes, each with its scale. */
    @Test
    void scoresAreWeightedRelativeErrorsByMebibyteSaved() throws Exception {
        ModelFiles base = ModelFiles.of(List.of(BASE));
        ModelFiles low = q8();
        Ranking ranking = ErrorRanking.rank(base, low, Precision.F16, importance(), 2, share -> {});
        assertEquals(RankingMethod.ERROR, ranking.method());
        List<List<GgufTensor>> layers = LayeredModel.of(base).layers();
        for (int layer = 0; layer < layers.size(); layer++) {
            double error = 0;
            double saved = 0;
            for (GgufTensor tensor : layers.get(layer)) {
                GgufTensor quantized = low.tensor(tensor.name()).orElseThrow();
                saved += tensor.bytes() - quantized.bytes();
                error += quantized.type() == tensor.type() ? 0 : relativeError(tensor, low);
            }
            assertEquals(error / (saved / (1 << 20)), ranking.scores().get(layer), 1e-9);
        }
        assertEquals(ranking, ErrorRanking.rank(base, low, Precision.F16, importance(), 1, share -> {}));
    }

    private static double relativeError(GgufTensor tensor, ModelFiles low) throws Exception {
        int from = (int) Gguf.read(BASE).offset(tensor.name());
        int to = (int) low.first().offset(tensor.name());
        ByteBuffer halves = ByteBuffer.wrap(Files.readAllBytes(BASE)).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer blocks =
                ByteBuffer.wrap(Files.readAllBytes(low.paths().get(0))).order(ByteOrder.LITTLE_ENDIAN);
        double error = 0;
        double total = 0;
        for (int i = 0; i < tensor.elements(); i++) {
            double weight = i % tensor.extent(0) + 1;
            double original = half(halves.getShort(from + 2 * i));
            double quantized = half(blocks.getShort(to + i / 32 * 34)) * blocks.get(to + i / 32 * 34 + 2 + i % 32);
            error += weight * (original - quantized) * (original - quantized);
            total += weight * original * original;
        }
        return error / total;
    }

    private static double half(short bits) {
        int exponent = bits >> 10 & 31;
        double fraction = (bits & 1023) / 1024.0;
        double magnitude = exponent == 0 ? fraction * 0x1p-14 : (1 + fraction) * Math.pow(2, exponent - 15);
        return bits < 0 ? -magnitude : magnitude;
    }

    @Test
    void anotherModelIsRefused() throws Exception {
        ModelFiles llava = ModelFiles.of(List.of(Path.of("src/test/resources/reference/llava-tiny-F16.gguf")));
        assertThrows(
                RankException.ForeignModel.class,
                () -> ErrorRanking.rank(q8(), llava, Precision.F16, importance(), 1, share -> {}));
    }
}
