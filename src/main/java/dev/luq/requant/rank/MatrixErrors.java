package dev.luq.requant.rank;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Quantizer;
import dev.luq.requant.lanes.Lanes;
import dev.luq.requant.plan.TensorTypes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleConsumer;

/**
 * How much of each matrix's output every type breaks. A matrix W that became Q, with mean squares m_c of the inputs to
 * column c, bounded for each token, has the relative error {@code sum m_c (W - Q)^2 / sum m_c W^2}: the expected squared error of its outputs over
 * their expected square, for inputs without correlations. Of a large matrix a sample of rows is quantized, evenly spread.
 *
 * @param relative by the matrix's name and the type. A type that needs importances which there are not is absent
 */
public record MatrixErrors(SortedMap<String, SortedMap<GgmlType, Double>> relative) {

    /** Weights of a matrix that are looked at: some dozens of rows or more. */
    private static final int SAMPLED_WEIGHTS = 1 << 17;

    public MatrixErrors {
        SortedMap<String, SortedMap<GgmlType, Double>> copy = new TreeMap<>();
        relative.forEach(
                (matrix, errors) -> copy.put(matrix, Collections.unmodifiableSortedMap(new TreeMap<>(errors))));
        relative = Collections.unmodifiableSortedMap(copy);
    }

    /**
     * Quantizes and compares in memory. {@link dev.luq.llama.Llama#init} comes first.
     *
     * @param choices types of each matrix, by its name
     * @param importance that blocks are made with
     * @param bounded mean squares that errors are weighted by, of the same matrices
     * @param threads that quantize. The result does not depend on them
     * @param progress hears the share done, 0 to 1, on the caller's thread
     * @throws RankException.NonFiniteWeights a matrix holds what is no number
     * @throws InterruptedException the thread was interrupted
     * @throws IOException the model cannot be read
     */
    public static MatrixErrors measure(
            ModelFiles base,
            Map<String, List<GgmlType>> choices,
            ImportanceMatrix importance,
            ImportanceMatrix bounded,
            int threads,
            DoubleConsumer progress)
            throws IOException, InterruptedException {
        choices.values().stream().flatMap(List::stream).distinct().forEach(Quantizer::prepare);
        SortedMap<String, SortedMap<GgmlType, Double>> errors = new TreeMap<>();
        AtomicInteger done = new AtomicInteger();
        Thread caller = Thread.currentThread();
        Lanes.run(
                Collections.nCopies(Math.max(1, threads), base),
                new TreeMap<>(choices).entrySet().iterator(),
                (model, matrix) -> {
                    SortedMap<GgmlType, Double> measured =
                            of(model, matrix.getKey(), matrix.getValue(), importance, bounded);
                    synchronized (errors) {
                        errors.put(matrix.getKey(), measured);
                    }
                    double share = (double) done.incrementAndGet() / choices.size();
                    if (Thread.interrupted()) {
                        throw new InterruptedException("the measurement of errors was interrupted");
                    }
                    if (Thread.currentThread() == caller) {
                        progress.accept(share);
                    }
                });
        return new MatrixErrors(errors);
    }

    private static SortedMap<GgmlType, Double> of(
            ModelFiles base, String name, List<GgmlType> types, ImportanceMatrix importance, ImportanceMatrix bounded)
            throws IOException {
        GgufTensor matrix = base.tensor(name).orElseThrow(() -> new RankException.ForeignModel(name));
        Optional<float[]> means = importance.means(name);
        Sample sample = Sample.read(base, matrix, means, bounded.means(name));
        SortedMap<GgmlType, Double> errors = new TreeMap<>();
        for (GgmlType type : types) {
            if (means.isPresent() || !TensorTypes.needsImportance(type)) {
                errors.put(type, sample.error(type));
            }
        }
        return errors;
    }

    /**
     * Rows of a matrix.
     *
     * @param blocks each row as the file has it
     * @param weights each row as numbers
     * @param importances of each row's columns; null where they were not measured
     * @param errorWeights of each row's columns, all 1 where they were not measured
     */
    private record Sample(
            GgufTensor matrix,
            List<ByteBuffer> blocks,
            List<float[]> weights,
            List<float[]> importances,
            List<float[]> errorWeights) {

        static Sample read(ModelFiles model, GgufTensor matrix, Optional<float[]> means, Optional<float[]> bounded)
                throws IOException {
            int columns = Math.toIntExact(matrix.extent(0));
            long rows = matrix.elements() / columns;
            long rowBytes = matrix.bytes() / rows;
            long count = Math.min(rows, Math.max(1, SAMPLED_WEIGHTS / columns));
            int part = model.partOf(matrix.name());
            Gguf gguf = model.parts().get(part);
            Path path = model.paths().get(part);
            List<ByteBuffer> blocks = new ArrayList<>();
            List<float[]> weights = new ArrayList<>();
            List<float[]> importances = new ArrayList<>();
            List<float[]> errorWeights = new ArrayList<>();
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
                for (long i = 0; i < count; i++) {
                    long row = (2 * i + 1) * rows / (2 * count);
                    ByteBuffer block =
                            ByteBuffer.allocateDirect(Math.toIntExact(rowBytes)).order(ByteOrder.LITTLE_ENDIAN);
                    long offset = gguf.offset(matrix.name()) + row * rowBytes;
                    while (block.hasRemaining()) {
                        if (channel.read(block, offset + block.position()) < 0) {
                            throw new IOException("the file of tensor " + matrix.name() + " became shorter");
                        }
                    }
                    blocks.add(block.flip());
                    weights.add(floats(matrix.type(), block.duplicate(), columns));
                    importances.add(means.map(all -> ofRow(all, row / matrix.extent(1), columns))
                            .orElse(null));
                    errorWeights.add(bounded.map(all -> ofRow(all, row / matrix.extent(1), columns))
                            .orElseGet(() -> RelativeError.ones(columns)));
                }
            }
            return new Sample(matrix, blocks, weights, importances, errorWeights);
        }

        /** Matrices of a stack, such as experts, have importances each. */
        private static float[] ofRow(float[] means, long matrix, int columns) {
            int from = means.length == columns ? 0 : Math.toIntExact(matrix * columns);
            return Arrays.copyOfRange(means, from, from + columns);
        }

        double error(GgmlType type) {
            int columns = weights.get(0).length;
            RelativeError error = new RelativeError();
            for (int row = 0; row < blocks.size(); row++) {
                float[] original = weights.get(row);
                float[] quantized = type == matrix.type() ? original : quantized(type, row, columns);
                error.add(errorWeights.get(row), original, quantized);
            }
            return error.of(matrix.name());
        }

        private float[] quantized(GgmlType type, int row, int columns) {
            ByteBuffer out = ByteBuffer.allocateDirect(columns / type.blockSize() * type.blockBytes())
                    .order(ByteOrder.LITTLE_ENDIAN);
            try (Quantizer quantizer = Quantizer.create(matrix.type(), type, columns, 1, importances.get(row))) {
                if (!quantizer.quantize(blocks.get(row).duplicate(), out)) {
                    throw new RankException.NonFiniteWeights(matrix.name());
                }
            }
            return floats(type, out.flip(), columns);
        }

        private static float[] floats(GgmlType type, ByteBuffer blocks, int columns) {
            FloatBuffer values = ByteBuffer.allocateDirect(columns * Float.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer();
            Quantizer.dequantize(type, blocks, values);
            float[] row = new float[columns];
            values.flip().get(row);
            return row;
        }
    }
}
