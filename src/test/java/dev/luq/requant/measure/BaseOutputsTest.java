package dev.luq.requant.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BaseOutputsTest {

    @TempDir
    Path folder;

    private static LogProbabilities random(long seed, int size) {
        Random random = new Random(seed);
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        return LogProbabilities.of(FloatBuffer.wrap(logits));
    }

    private Path written(int positions, int vocabulary) throws IOException {
        Path file = folder.resolve("outputs");
        try (BaseOutputs.Writer writer = new BaseOutputs.Writer(file)) {
            for (int i = 0; i < positions; i++) {
                writer.add(vocabulary, BaseOutput.of(i / 2, i, random(i, vocabulary), BaseOutputs.kept(vocabulary)));
            }
            writer.commit();
        }
        return file;
    }

    @Test
    void aSmallVocabularyComesBackInFull() throws IOException {
        try (BaseOutputs.Reader reader = new BaseOutputs.Reader(written(3, 100))) {
            for (int i = 0; i < 3; i++) {
                BaseOutput output = reader.next();
                assertEquals(i / 2, output.example());
                assertEquals(i, output.target());
                assertEquals(random(i, 100).best(), output.best());
                assertNull(output.tokens());
                assertArrayEquals(random(i, 100).values(), output.logs());
            }
            assertFalse(reader.hasNext());
        }
    }

    @Test
    void ofALargeVocabularyTheLikeliestTokensComeBack() throws IOException {
        LogProbabilities model = random(0, 20_000);
        try (BaseOutputs.Reader reader = new BaseOutputs.Reader(written(1, 20_000))) {
            BaseOutput output = reader.next();
            assertEquals(1024, output.tokens().length);
            assertEquals(0.0, output.divergence(model));
            assertFalse(reader.hasNext());
        }
        assertTrue(Files.size(folder.resolve("outputs")) < 9000);
    }

    @Test
    void nothingIsVisibleBeforeItIsWhole() throws IOException {
        Path file = folder.resolve("outputs");
        try (BaseOutputs.Writer writer = new BaseOutputs.Writer(file)) {
            writer.add(10, BaseOutput.of(0, 0, random(0, 10), 10));
        }
        try (var left = Files.list(folder)) {
            assertEquals(0, left.count());
        }
        assertThrows(MeasureException.BadBaseOutputs.class, () -> new BaseOutputs.Reader(file));
    }

    @Test
    void everyDamageIsFound() throws IOException {
        byte[] good = Files.readAllBytes(written(2, 20));
        Path bad = folder.resolve("bad");
        Random random = new Random(3);
        for (int i = 0; i < good.length; i++) {
            byte[] bytes = good.clone();
            bytes[i] ^= (byte) (1 << random.nextInt(8));
            Files.write(bad, bytes);
            assertThrows(MeasureException.BadBaseOutputs.class, () -> readAll(bad), "byte " + i);
        }
        for (int length = 0; length < good.length; length++) {
            Files.write(bad, Arrays.copyOf(good, length));
            assertThrows(MeasureException.BadBaseOutputs.class, () -> readAll(bad), "length " + length);
        }
        Files.write(bad, Arrays.copyOf(good, good.length + 1));
        assertThrows(MeasureException.BadBaseOutputs.class, () -> readAll(bad), "one byte more");
    }

    private static void readAll(Path file) {
        try (BaseOutputs.Reader reader = new BaseOutputs.Reader(file)) {
            while (reader.hasNext()) {
                reader.next();
            }
        }
    }
}
