package dev.luq.requant.quantize;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufWriter;
import dev.luq.llama.Quantizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Reads, quantizes and writes tensors by slices of rows. Slices are worked on by all threads and written in order by the
 * caller's; threads go on from one tensor to the next. What is in memory at once is a few slices, however large the
 * tensors. For one caller at a time.
 */
final class SlicePipeline implements AutoCloseable {

    /** Weights of a slice: 1 MiB as floats, a tenth of a second of the slowest type. */
    private static final int SLICE_WEIGHTS = 1 << 18;

    private final int threads;
    private final ExecutorService workers;
    /** Direct memory outlives its buffers by a collection: it is used again. */
    private final Queue<ByteBuffer> buffers = new ConcurrentLinkedQueue<>();

    SlicePipeline(int threads) {
        this.threads = threads;
        AtomicInteger number = new AtomicInteger();
        this.workers = Executors.newFixedThreadPool(threads, body -> {
            Thread thread = new Thread(body, "quantize-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    private record Slice(TensorJob job, long firstRow, int rows) {}

    /** Called between slices, on the caller's thread. */
    interface Observer {
        /** @param weights finished since the last call; may throw to end the work */
        void finished(long weights);
    }

    /** @param writer of a file whose table is that of the jobs, in their order */
    void write(List<TensorJob> jobs, GgufWriter writer, Observer observer) throws IOException {
        Iterator<Slice> slices =
                jobs.stream().flatMap(job -> slices(job).stream()).iterator();
        Deque<Future<ByteBuffer>> running = new ArrayDeque<>();
        Deque<Slice> order = new ArrayDeque<>();
        try {
            while (slices.hasNext() || !running.isEmpty()) {
                while (slices.hasNext() && running.size() < 2 * threads) {
                    Slice slice = slices.next();
                    order.add(slice);
                    running.add(workers.submit(() -> quantize(slice)));
                }
                Slice slice = order.remove();
                ByteBuffer result = result(running.remove());
                if (slice.firstRow() == 0) {
                    writer.begin(slice.job().source().name());
                }
                writer.write(result);
                buffers.add(result);
                observer.finished((long) slice.rows() * slice.job().columns());
            }
        } finally {
            running.forEach(future -> future.cancel(false));
        }
    }

    /**
     * Waits for a task and throws what it threw.
     *
     * @throws QuantizeException.Cancelled when this thread is interrupted
     */
    static <T> T result(Future<T> task) throws IOException {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QuantizeException.Cancelled();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            } else if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            } else if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Whole rows; slices do not cross from one matrix of a stack to the next, whose importances differ. */
    private static List<Slice> slices(TensorJob job) {
        List<Slice> slices = new ArrayList<>();
        int most = Math.max(1, SLICE_WEIGHTS / job.columns());
        for (long row = 0; row < job.rows(); ) {
            long matrixEnd = (row / job.rowsPerMatrix() + 1) * job.rowsPerMatrix();
            int rows = (int) Math.min(most, matrixEnd - row);
            slices.add(new Slice(job, row, rows));
            row += rows;
        }
        return slices;
    }

    private ByteBuffer quantize(Slice slice) throws IOException {
        TensorJob job = slice.job();
        GgmlType from = job.source().type();
        ByteBuffer rows = read(slice);
        boolean valid;
        ByteBuffer out;
        if (job.isCopy()) {
            valid = Quantizer.isValid(from, rows);
            out = rows;
        } else {
            out = direct(job.type(), slice);
            try (Quantizer quantizer = Quantizer.create(
                    from, job.type(), job.columns(), slice.rows(), job.importanceOf(slice.firstRow()))) {
                valid = quantizer.quantize(rows, out);
            }
            out.flip();
        }
        if (!valid) {
            String tensor = job.source().name();
            throw new QuantizeException.UnsuitableSource(
                    Quantizer.isValid(from, rows.duplicate().rewind())
                            ? "Tensor " + tensor + " of the base model cannot be brought to " + job.type()
                                    + ": its values are finite,"
                                    + " but too large for that type, or its importances are."
                            : "Tensor " + tensor
                                    + " of the base model holds values that are no finite numbers: the file is damaged."
                                    + " Fetch or convert it again.");
        }
        if (!job.isCopy()) {
            buffers.add(rows);
        }
        return out;
    }

    private ByteBuffer read(Slice slice) throws IOException {
        GgmlType type = slice.job().source().type();
        ByteBuffer rows = direct(type, slice);
        long offset = slice.job().offset()
                + bytes(type, slice.firstRow() * slice.job().columns());
        try (FileChannel channel = FileChannel.open(slice.job().file(), StandardOpenOption.READ)) {
            while (rows.hasRemaining()) {
                if (channel.read(rows, offset + rows.position()) < 0) {
                    throw new QuantizeException.UnsuitableSource(
                            "The base model's file became shorter while it was read.");
                }
            }
        }
        return rows.flip();
    }

    private ByteBuffer direct(GgmlType type, Slice slice) {
        int bytes =
                Math.toIntExact(bytes(type, (long) slice.rows() * slice.job().columns()));
        ByteBuffer used = buffers.poll();
        boolean fits = used != null && used.capacity() >= bytes;
        return (fits ? used : ByteBuffer.allocateDirect(Math.max(bytes, SLICE_WEIGHTS * Float.BYTES)))
                .clear()
                .limit(bytes);
    }

    private static long bytes(GgmlType type, long weights) {
        return weights / type.blockSize() * type.blockBytes();
    }

    /** Waits for slices in work: none may outlive the native libraries' user. */
    @Override
    public void close() {
        workers.shutdownNow();
        try {
            workers.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
