package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Integration;
import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@Integration
class VectorProductsTest {

    private static final int COUNT = 321;
    private static final int WIDTH = 96;

    @BeforeAll
    static void loadLibraries() {
        Llama.init(line -> {});
    }

    private static float[] noise(int size, int seed) {
        Random random = new Random(seed);
        float[] floats = new float[size];
        for (int i = 0; i < size; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    private static float[] products(float[] vectors, float[] others, int threads) {
        try (VectorProducts set = new VectorProducts(COUNT, WIDTH, threads)) {
            set.vectors().put(vectors);
            FloatBuffer result = set.with(FloatBuffer.wrap(others), others.length / WIDTH);
            float[] copy = new float[result.remaining()];
            result.get(copy);
            return copy;
        }
    }

    @Test
    void eachVectorIsMultipliedWithEachOther() {
        float[] vectors = noise(COUNT * WIDTH, 1);
        for (int number : new int[] {1, 7, 100}) {
            float[] others = noise(number * WIDTH, number);
            float[] products = products(vectors, others, 2);
            assertEquals(COUNT * number, products.length);
            for (int v = 0; v < COUNT; v++) {
                for (int o = 0; o < number; o++) {
                    double expected = 0;
                    for (int i = 0; i < WIDTH; i++) {
                        expected += (double) vectors[v * WIDTH + i] * others[o * WIDTH + i];
                    }
                    assertEquals(expected, products[v * number + o], 1e-4);
                }
            }
        }
    }

    @Test
    void threadsDoNotChangeABit() {
        float[] vectors = noise(COUNT * WIDTH, 1);
        float[] others = noise(37 * WIDTH, 2);
        float[] expected = products(vectors, others, 1);
        for (int threads = 2; threads <= 5; threads++) {
            float[] actual = products(vectors, others, threads);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(Float.floatToIntBits(expected[i]), Float.floatToIntBits(actual[i]));
            }
        }
    }

    @Test
    void misuseIsAnExceptionAndNotACrash() {
        assertThrows(IllegalArgumentException.class, () -> new VectorProducts(0, 1, 1));
        VectorProducts set = new VectorProducts(2, 3, 1);
        assertThrows(IllegalArgumentException.class, () -> set.with(FloatBuffer.allocate(5), 2));
        set.close();
        set.close();
        assertThrows(IllegalStateException.class, set::vectors);
        assertThrows(IllegalStateException.class, () -> set.with(FloatBuffer.allocate(3), 1));
    }
}
