package dev.luq.requant.quantize;

import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.llama.Quantizer;
import dev.luq.requant.plan.Plan;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.store.Fingerprint;
import dev.luq.requant.store.LayerStore;
import dev.luq.requant.store.Manifest;
import dev.luq.requant.store.StoreLease;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Makes models of a base model by plans: quantizes what the store lacks, finds the rest. Ended at any moment, by cancel
 * or kill, the same call goes on with the first file that is missing; results are the same bytes. Loads the native
 * libraries' tables only for what is missing. For one thread.
 */
public final class Requantizer implements AutoCloseable {

    private final LayerStore store;
    private final ModelFiles base;
    private final Optional<ModelFiles> mmproj;
    private final Optional<ImportanceMatrix> importance;
    private final SlicePipeline pipeline;
    private final ExecutorService sealer = Executors.newSingleThreadExecutor(body -> {
        Thread thread = new Thread(body, "seal");
        thread.setDaemon(true);
        return thread;
    });
    private SplitFiles splits;
    private Fingerprint fingerprint;
    private String stamp;

    /**
     * {@link Llama#init} comes first.
     *
     * @param base read and checked, of types F16, BF16, F32 or Q8_0
     * @param mmproj its projector, if it has one
     * @param importance of the base model's columns; empty where no plan uses a type that needs it
     * @param threads compute threads
     */
    public Requantizer(
            LayerStore store,
            ModelFiles base,
            Optional<ModelFiles> mmproj,
            Optional<ImportanceMatrix> importance,
            int threads) {
        this.store = store;
        this.base = base;
        this.mmproj = mmproj;
        this.importance = importance;
        this.pipeline = new SlicePipeline(threads);
    }

    /** The base model's. The first call reads all of its files unless the store knows them. */
    public Fingerprint fingerprint(QuantizeListener listener) throws IOException {
        if (fingerprint == null) {
            stamp = stamp();
            fingerprint = fingerprint(base, listener);
        }
        return fingerprint;
    }

    /**
     * Has all files of a plan in the store. Hold {@link LayerStore#build} from before until the manifest is published.
     *
     * @throws QuantizeException when the plan, the base model or the importances do not fit, or on cancel
     * @throws dev.luq.requant.store.StoreException.NoSpace when the disk is full
     * @throws IOException when a file cannot be read or written; its message may name the path
     */
    public AssembledModel assemble(Plan plan, QuantizeListener listener) throws IOException {
        try (StoreLease lease = store.build()) {
            return complete(plan, listener);
        } catch (ClosedByInterruptException | FileLockInterruptionException e) {
            throw new QuantizeException.Cancelled();
        }
    }

    private AssembledModel complete(Plan plan, QuantizeListener listener) throws IOException {
        if (splits == null) {
            splits = new SplitFiles(base, fingerprint(listener), importance, Quantizer::searchVersion);
        }
        List<SplitFile> files = new ArrayList<>(splits.of(plan));
        boolean quantizesProjector = mmproj.isPresent() && plan.mmproj() != Precision.F16;
        if (quantizesProjector) {
            files.add(splits.projector(mmproj.get(), fingerprint(mmproj.get(), listener), plan.mmproj()));
        }
        long total = 0;
        for (SplitFile file : files) {
            total += store.entry(file.key()).isPresent() ? 0 : file.weights();
        }
        List<Manifest.Entry> entries = write(files, new Counter(listener, total));
        Optional<Manifest.Entry> projector =
                quantizesProjector ? Optional.of(entries.remove(entries.size() - 1)) : Optional.empty();
        Optional<Path> projectorFile = projector
                .map(entry -> store.path(entry.key()))
                .or(() -> mmproj.map(own -> own.paths().get(0)));
        return new AssembledModel(
                entries.stream().map(entry -> store.path(entry.key())).toList(),
                projectorFile,
                entries,
                projector,
                total);
    }

    /** One file's way to the disk takes place while the next one is quantized. */
    private List<Manifest.Entry> write(List<SplitFile> files, Counter counter) throws IOException {
        counter.finished(0);
        List<Manifest.Entry> entries = new ArrayList<>();
        Deque<Future<Manifest.Entry>> sealing = new ArrayDeque<>();
        try {
            for (SplitFile file : files) {
                LayerStore.Unsealed unsealed = write(file, counter);
                sealing.add(sealer.submit(unsealed::seal));
                if (sealing.size() > 1) {
                    entries.add(SlicePipeline.result(sealing.peek()));
                    sealing.remove();
                }
            }
            while (!sealing.isEmpty()) {
                entries.add(SlicePipeline.result(sealing.peek()));
                sealing.remove();
            }
            return entries;
        } finally {
            sealing.forEach(Requantizer::settle);
        }
    }

    /** Waits for it even when the thread is interrupted: the lease that keeps its file ends next. */
    private static void settle(Future<?> sealing) {
        boolean interrupted = false;
        while (!sealing.isDone()) {
            try {
                sealing.get();
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                break; // reported where the entry is awaited, or less important than what ended the work
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private LayerStore.Unsealed write(SplitFile file, Counter counter) throws IOException {
        return store.begin(file.key(), file.metadata(), file.tensors(), writer -> {
            file.jobs().stream()
                    .filter(job -> !job.isCopy())
                    .map(TensorJob::type)
                    .distinct()
                    .forEach(Quantizer::prepare);
            pipeline.write(file.jobs(), writer, counter);
            if (!stamp().equals(stamp)) {
                throw new QuantizeException.UnsuitableSource(
                        "The base model's file was changed while it was read. Start" + " again once it is complete.");
            }
        });
    }

    private String stamp() throws IOException {
        return Fingerprint.stamp(base) + (mmproj.isPresent() ? Fingerprint.stamp(mmproj.get()) : "");
    }

    private Fingerprint fingerprint(ModelFiles files, QuantizeListener listener) throws IOException {
        return Fingerprint.of(files, store, bytes -> stopIfCancelled(listener));
    }

    private static void stopIfCancelled(QuantizeListener listener) {
        if (listener.cancelled() || Thread.currentThread().isInterrupted()) {
            throw new QuantizeException.Cancelled();
        }
    }

    /** Adds up what the listener is told. */
    private static final class Counter implements SlicePipeline.Observer {
        private final QuantizeListener listener;
        private final long total;
        private long done;

        Counter(QuantizeListener listener, long total) {
            this.listener = listener;
            this.total = total;
        }

        @Override
        public void finished(long weights) {
            done += weights;
            listener.quantized(done, total);
            stopIfCancelled(listener);
        }
    }

    /** Ends the threads. */
    @Override
    public void close() {
        pipeline.close();
        sealer.shutdown();
    }
}
