package dev.luq.openai.embeddings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

class NormalizationTest {

    private static final float[] VECTOR = {3, -4};

    private static void scales(int kind, float... expected) {
        assertArrayEquals(expected, new Normalization(kind).of(VECTOR), 1e-3f);
    }

    @Test
    void kindsAreThoseOfLlamaServer() {
        scales(2, 0.6f, -0.8f);
        scales(1, 3f / 7, -4f / 7);
        scales(3, (float) (3 / Math.cbrt(91)), (float) (-4 / Math.cbrt(91)));
        scales(0, 24570, -32760);
        scales(-1, 3, -4);
    }

    @Test
    void zerosStayZeros() {
        for (int kind : new int[] {-1, 0, 1, 2, 7}) {
            assertArrayEquals(new float[2], new Normalization(kind).of(new float[2]));
        }
    }
}
