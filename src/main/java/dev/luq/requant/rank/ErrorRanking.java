package dev.luq.requant.rank;

import static dev.luq.files.Units.MIB;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.LayeredModel;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Quantizer;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.DoubleConsumer;

/**
 * Layers in the order of what quantization breaks for each byte that it saves, from the weights themselves. A matrix W
 * that became Q, with mean squares m_c of the inputs to column c, bounded for each token, has the relative error
 * {@code sum m_c (W - Q)^2 / sum m_c W^2}: the expected squared error of its outputs over their expected square, for
 * inputs without correlations. A layer's score is the sum over its matrices, by MiB saved against the high precision.
 */
public final class ErrorRanking {

    private static final int SLICE_WEIGHTS = 1 << 18;

    private final ModelFiles base;
    private final ModelFiles low;
    private final ImportanceMatrix importance;

    private ErrorRanking(ModelFiles base, ModelFiles low, ImportanceMatrix importance) {
        this.base = base;
        this.low = low;
        this.importance = importance;
    }

    /**
     * @param low the same model with every layer at the low precision
     * @param high precision of layers that do not go low
     * @param importance mean squares that errors are weighted by
     * @param threads that read weights. The result does not depend on them
     * @param progress hears the share done, 0 to 1
     * @throws RankException.ForeignModel the models are not the same
     * @throws InterruptedException the thread was interrupted
     * @throws IOException a file cannot be read
     */
    public static Ranking rank(
            ModelFiles base,
            ModelFiles low,
            Precision high,
            ImportanceMatrix importance,
            int threads,
            DoubleConsumer progress)
            throws IOException, InterruptedException {
        List<List<GgufTensor>> layers = LayeredModel.of(base).layers();
        ErrorRanking ranking = new ErrorRanking(base, low, importance);
        ExecutorService pool = Executors.newFixedThreadPool(Math.max(1, threads));
        try {
            List<List<Future<Double>>> errors = new ArrayList<>();
            for (List<GgufTensor> layer : layers) {
                errors.add(layer.stream()
                        .filter(ranking::isQuantized)
                        .map(tensor -> pool.submit(() -> ranking.relativeError(tensor)))
                        .toList());
            }
            List<Double> scores = new ArrayList<>();
            for (int layer = 0; layer < layers.size(); layer++) {
                double error = 0;
                for (Future<Double> ofMatrix : errors.get(layer)) {
                    error += ofMatrix.get();
                }
                scores.add(score(error, ranking.bytesSaved(layers.get(layer), high, layer, layers.size())));
                progress.accept((layer + 1.0) / layers.size());
            }
            return Ranking.ascending(
                    RankingMethod.ERROR, scores, Map.of("high", high.name(), "calibration", importance.datasets()));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } finally {
            pool.shutdownNow();
        }
    }

    /** A layer that saves nothing goes last. */
    private static double score(double error, long bytesSaved) {
        return bytesSaved > 0 ? error / (bytesSaved / MIB) : Double.MAX_VALUE;
    }

    private GgufTensor inLow(GgufTensor tensor) {
        return low.tensor(tensor.name())
                .filter(found -> found.shape().equals(tensor.shape()))
                .orElseThrow(() -> new RankException.ForeignModel(tensor.name()));
    }

    private boolean isQuantized(GgufTensor tensor) {
        return inLow(tensor).type() != tensor.type();
    }

    private long bytesSaved(List<GgufTensor> layer, Precision high, int index, int layers) {
        long saved = 0;
        for (GgufTensor tensor : layer) {
            saved += new GgufTensor(tensor.name(), high.type(tensor, index, layers), tensor.shape()).bytes();
            saved -= inLow(tensor).bytes();
        }
        return saved;
    }

    private double relativeError(GgufTensor matrix) throws IOException {
        int columns = Math.toIntExact(matrix.extent(0));
        float[] weights = importance.means(matrix.name()).orElseGet(() -> RelativeError.ones(columns));
        RelativeError error = new RelativeError();
        float[] original = new float[columns];
        float[] quantized = new float[columns];
        try (Rows ofBase = new Rows(base, matrix);
                Rows ofLow = new Rows(low, inLow(matrix))) {
            for (long row = 0; row < matrix.elements() / columns; row++) {
                ofBase.next(original);
                ofLow.next(quantized);
                error.add(weights, original, quantized);
            }
        }
        return error.of(matrix.name());
    }

    /** Reads a matrix row by row. */
    private static final class Rows implements AutoCloseable {
        private final GgufTensor tensor;
        private final FileChannel channel;
        private final int columns;
        private final FloatBuffer floats;
        private long offset;
        private long rowsLeft;

        Rows(ModelFiles model, GgufTensor tensor) throws IOException {
            this.tensor = tensor;
            columns = Math.toIntExact(tensor.extent(0));
            rowsLeft = tensor.elements() / columns;
            int rows = (int) Math.min(rowsLeft, Math.max(1, SLICE_WEIGHTS / columns));
            floats = ByteBuffer.allocateDirect(rows * columns * Float.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer();
            floats.limit(0);
            int part = model.partOf(tensor.name());
            Gguf gguf = model.parts().get(part);
            offset = gguf.offset(tensor.name());
            channel = FileChannel.open(model.paths().get(part), StandardOpenOption.READ);
        }

        void next(float[] row) throws IOException {
            if (!floats.hasRemaining()) {
                int rows = (int) Math.min(rowsLeft, floats.capacity() / columns);
                long bytes = (long) rows
                        * columns
                        / tensor.type().blockSize()
                        * tensor.type().blockBytes();
                ByteBuffer blocks = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
                while (blocks.hasRemaining()) {
                    if (channel.read(blocks, offset + blocks.position()) < 0) {
                        throw new IOException("the file of tensor " + tensor.name() + " became shorter");
                    }
                }
                floats.clear();
                Quantizer.dequantize(tensor.type(), blocks.flip(), floats);
                floats.flip();
                offset += bytes;
                rowsLeft -= rows;
            }
            floats.get(row);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
