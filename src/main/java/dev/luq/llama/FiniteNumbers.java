package dev.luq.llama;

import java.nio.FloatBuffer;

/**
 * Whether floats are finite: neither NaN nor infinite. A vocabulary's logits take about a tenth of a millisecond.
 */
public final class FiniteNumbers {

    private static final int CHUNK = 4096;

    private FiniteNumbers() {}

    /** @param values from the buffer's start to its limit; not consumed */
    @SuppressWarnings("IdentityBinaryExpression")
    public static boolean areFinite(FloatBuffer values) {
        float[] chunk = new float[Math.min(CHUNK, values.limit())];
        for (int start = 0; start < values.limit(); start += CHUNK) {
            int count = Math.min(CHUNK, values.limit() - start);
            values.get(start, chunk, 0, count);
            // Zero as long as all are finite: infinity minus itself is not a number, and stays so.
            float rest = 0;
            for (int i = 0; i < count; i++) {
                rest += chunk[i] - chunk[i];
            }
            if (!(rest == 0)) {
                return false;
            }
        }
        return true;
    }
}
