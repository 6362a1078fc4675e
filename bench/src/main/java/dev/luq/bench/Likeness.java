package dev.luq.bench;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Quantizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.util.Locale;
import java.util.Optional;

/**
 * How our tensors compare with llama.cpp's. Those that ggml quantizes have to be the same bit for bit; those of the search
 * have another error.
 *
 * @param identical whether all tensors that ggml quantizes are equal bit for bit
 * @param error of the others relative to that of llama.cpp's: sums of squared differences from the base, each weighted by
 *     the importance of its column and relative to the tensor's weighted squares; NaN where there are none
 */
record Likeness(boolean identical, double error) {

    /** Of results that are not the same each time. */
    static final Likeness CHANGING = new Likeness(false, Double.NaN);

    /** Matrices that the importances leave out count each column the same. */
    static Likeness of(ModelFiles base, ModelFiles ours, ModelFiles theirs, ImportanceMatrix importance)
            throws IOException {
        boolean identical = true;
        double ourErrors = 0;
        double theirErrors = 0;
        for (GgufTensor tensor : base.first().tensors()) {
            String name = tensor.name();
            if (Quantizer.searchVersion(ours.tensor(name).orElseThrow().type()) == 0) {
                identical &= data(ours, name).equals(data(theirs, name));
            } else {
                Optional<float[]> means = importance.means(name);
                ourErrors += error(base, ours, tensor, means);
                theirErrors += error(base, theirs, tensor, means);
            }
        }
        return new Likeness(identical, ourErrors / theirErrors);
    }

    @Override
    public String toString() {
        if (!identical) {
            return "DIFFERENT";
        }
        return Double.isNaN(error) ? "identical" : String.format(Locale.ROOT, "%.3f of the error", error);
    }

    private static double error(ModelFiles base, ModelFiles model, GgufTensor tensor, Optional<float[]> importance)
            throws IOException {
        int columns = Math.toIntExact(tensor.extent(0));
        GgmlType type = model.tensor(tensor.name()).orElseThrow().type();
        ByteBuffer originals = data(base, tensor.name());
        ByteBuffer blocks = data(model, tensor.name());
        FloatBuffer original = row(columns);
        FloatBuffer quantized = row(columns);
        double error = 0;
        double all = 0;
        while (blocks.hasRemaining()) {
            next(tensor.type(), originals, original);
            next(type, blocks, quantized);
            for (int i = 0; i < columns; i++) {
                double weight = importance.isPresent() ? importance.get()[i] : 1;
                double difference = (double) original.get(i) - quantized.get(i);
                error += weight * difference * difference;
                all += weight * original.get(i) * original.get(i);
            }
        }
        return all == 0 ? 0 : error / all;
    }

    private static FloatBuffer row(int columns) {
        return ByteBuffer.allocateDirect(columns * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    /** Reads as many weights as fit from the blocks' position on, which moves. */
    private static void next(GgmlType type, ByteBuffer blocks, FloatBuffer row) {
        int bytes = row.capacity() / type.blockSize() * type.blockBytes();
        Quantizer.dequantize(type, blocks.slice(blocks.position(), bytes), row.clear());
        blocks.position(blocks.position() + bytes);
    }

    private static ByteBuffer data(ModelFiles files, String name) throws IOException {
        for (int i = 0; i < files.parts().size(); i++) {
            Optional<GgufTensor> tensor = files.parts().get(i).tensor(name);
            if (tensor.isPresent()) {
                try (FileChannel channel = FileChannel.open(files.paths().get(i))) {
                    return channel.map(
                            FileChannel.MapMode.READ_ONLY,
                            files.parts().get(i).offset(name),
                            tensor.get().bytes());
                }
            }
        }
        throw new IllegalStateException("no tensor " + name);
    }
}
