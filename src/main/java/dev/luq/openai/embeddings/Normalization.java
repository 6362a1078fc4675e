package dev.luq.openai.embeddings;

/**
 * How an embedding is scaled, {@code embd_normalize} of llama-server: {@code common_embd_normalize} of llama.cpp.
 *
 * @param kind -1 leaves it as it is, 0 gives the largest number 32760, any other p gives the p-norm 1
 */
record Normalization(int kind) {

    static final int LEAST = -1;
    static final int MOST = 100;

    /** To length 1. */
    static final Normalization EUCLIDEAN = new Normalization(2);

    private static final double LARGEST = 32760;

    /** A scaled copy; zeros stay zeros. */
    float[] of(float[] vector) {
        double size = size(vector);
        float[] scaled = new float[vector.length];
        for (int i = 0; i < vector.length; i++) {
            scaled[i] = size == 0 ? 0 : (float) (vector[i] / size);
        }
        return scaled;
    }

    private double size(float[] vector) {
        double size = 0;
        switch (kind) {
            case -1 -> {
                return 1;
            }
            case 0 -> {
                for (float value : vector) {
                    size = Math.max(size, Math.abs(value));
                }
                return size / LARGEST;
            }
            default -> {
                for (float value : vector) {
                    size += Math.pow(Math.abs((double) value), kind);
                }
                return Math.pow(size, 1.0 / kind);
            }
        }
    }
}
