package dev.luq.serving;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.LoadPolicy;
import dev.luq.catalog.ModelSettings;
import dev.luq.catalog.Variant;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFiles;
import dev.luq.memory.WeightMemory;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Changes what is served at run time: catalogue and processes together. One operation per model at a time; a second one
 * fails with {@link ModelOperationException.InProgress}. Futures fail with a {@link CatalogException} or a
 * {@link ModelOperationException}. An operation goes on when its future is dropped.
 */
@ApplicationScoped
public class ModelControl {

    private static final Logger LOG = Logger.getLogger(ModelControl.class);

    /** What the estimate of a process may be wrong by. */
    private static final double MARGIN = 1.1;

    private final Catalog catalog;
    private final Supervisor supervisor;
    private final WorkerConfig config;
    private final ServedMemory memory;
    private final MachineMemory machine = MachineMemory.ofThisMachine();
    private final Set<String> busy = ConcurrentHashMap.newKeySet();
    private final ExecutorService background;

    /**
     * How a swap to other files went.
     *
     * @param entry the model as it is served now
     * @param mode how the processes were swapped; empty when none had to be
     * @param duration until the new process served
     */
    public record SwapResult(CatalogEntry entry, Optional<SwapMode> mode, Duration duration) {}

    @Inject
    ModelControl(Catalog catalog, Supervisor supervisor, WorkerConfig config, ServedMemory memory) {
        this(catalog, supervisor, config, memory, body -> {
            Thread thread = new Thread(body, "luq-model-control");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** @param threads does what takes its time */
    ModelControl(
            Catalog catalog, Supervisor supervisor, WorkerConfig config, ServedMemory memory, ThreadFactory threads) {
        this.catalog = catalog;
        this.supervisor = supervisor;
        this.config = config;
        this.memory = memory;
        this.background = Executors.newCachedThreadPool(threads);
    }

    /** Before the supervisor ends the processes that an operation may still be starting. */
    void stop(@Observes @Priority(1) ShutdownEvent event) {
        background.shutdownNow();
    }

    /**
     * Adds a model and starts to load it, unless it is loaded on demand; done when it is in the catalogue.
     *
     * @param model as in {@link Catalog#register}
     * @param settings as there
     */
    public CompletableFuture<CatalogEntry> register(
            String id, Path model, Optional<Path> mmproj, List<String> aliases, ModelSettings settings) {
        return operation(id, () -> {
            CatalogEntry entry = catalog.register(id, model, mmproj, aliases, settings);
            ModelRoute route = supervisor.add(entry);
            if (settings.load() == LoadPolicy.START) {
                loading(route)
                        .subscribe()
                        .with(
                                loaded -> {},
                                failure -> LOG.warnf("Model %s is not served: %s", id, failure.getMessage()));
            }
            return entry;
        });
    }

    /** Done when the model is loaded; see {@link ModelRoute#whenLoaded}. */
    private Uni<Void> loading(ModelRoute route) {
        return route.whenLoaded(null, config.loadTimeout(), Optional.empty(), info -> Multi.createFrom()
                        .<Void>empty())
                .onItem()
                .ignoreAsUni();
    }

    /** Forgets a registered model after its running requests ended. */
    public CompletableFuture<Void> delete(String id) {
        return operation(id, () -> {
            catalog.unregister(id);
            end(id);
            supervisor.remove(id);
            memory.forget(id);
            supervisor.tidyCaches();
            return null;
        });
    }

    /** Starts a process for a model that has none or a failed one; done when it serves. */
    public CompletableFuture<CatalogEntry> load(String id) {
        return operation(id, () -> {
            catalog.get(id);
            ModelRoute route = supervisor.routeOf(id);
            if (!isServed(route)) {
                prepare(route, () -> catalog.get(id).variant().map(Variant::id));
            }
            CatalogEntry loaded = catalog.setUnloaded(id, false);
            awaitLoaded(route);
            return loaded;
        });
    }

    /**
     * The same for a model whose files were not usable when it was loaded: what it served before is served again, by
     * those that are loaded on demand with the next request.
     */
    CompletableFuture<CatalogEntry> recover(String id) {
        return operation(id, () -> {
            ModelRoute route = supervisor.routeOf(id);
            CatalogEntry prepared = prepare(route, () -> catalog.wantedVariant(id));
            if (prepared.settings().load() == LoadPolicy.START) {
                awaitLoaded(route);
            }
            return prepared;
        });
    }

    private static boolean isServed(ModelRoute route) {
        return route.state() != ModelWorker.State.UNLOADED && route.state() != ModelWorker.State.FAILED;
    }

    /** Makes a model that is not served what it is to serve: no failure of before is left. */
    private CatalogEntry prepare(ModelRoute route, Supplier<Optional<String>> variant) throws Exception {
        String id = route.modelId();
        CatalogEntry checked = catalog.prepare(id, variant.get());
        if (route.state() == ModelWorker.State.FAILED) {
            end(id);
        }
        return supervisor.loader().exclusively(id, () -> activate(route, checked));
    }

    /** What is served is told also where it cannot be saved. */
    private CatalogEntry activate(ModelRoute route, CatalogEntry prepared) {
        try {
            return catalog.activate(prepared);
        } finally {
            supervisor.changed(route);
        }
    }

    private void awaitLoaded(ModelRoute route) throws InterruptedException {
        try {
            loading(route).subscribeAsCompletionStage().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof WorkerException.DoesNotFit tooLarge) {
                throw new ModelOperationException.DoesNotFit(
                        tooLarge.naming(id -> true).getMessage());
            } else if (e.getCause() instanceof WorkerException.NotReady notReady) {
                throw switch (notReady.state()) {
                    case DRAINING -> new ModelOperationException.Stopping();
                    case LOADING -> new ModelOperationException.Late(notReady.getMessage() + "; it goes on loading");
                    default -> new ModelOperationException.Failed(notReady.getMessage());
                };
            } else if (e.getCause() instanceof WorkerException refused) {
                throw new ModelOperationException.Late(refused.getMessage());
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /**
     * Ends the process of a model after its running requests; done when its memory is free. One that is loaded on
     * demand is loaded again by the next request, others are not until {@link #load}.
     */
    public CompletableFuture<CatalogEntry> unload(String id) {
        return operation(id, () -> {
            CatalogEntry unloaded = catalog.get(id).settings().load() == LoadPolicy.START
                    ? catalog.setUnloaded(id, true)
                    : catalog.get(id);
            end(id);
            return unloaded;
        });
    }

    private void end(String id) throws InterruptedException {
        try {
            supervisor.loader().unload(id).get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ModelOperationException failure
                    ? failure
                    : new IllegalStateException(e.getCause());
        }
    }

    /**
     * Serves a variant of a model, or its base files; done when it is served. No request fails by that.
     *
     * @param variant id of a manifest in the store; empty for the base files
     */
    public CompletableFuture<SwapResult> activate(String id, Optional<String> variant, SwapMode mode) {
        return operation(id, () -> {
            long start = System.nanoTime();
            CatalogEntry now = catalog.get(id);
            CatalogEntry next = catalog.prepare(id, variant);
            ModelRoute route = supervisor.routeOf(id);
            Optional<SwapMode> swapped = Optional.empty();
            boolean same =
                    now.problem().isEmpty() && now.variant().map(Variant::id).equals(variant);
            if (!same || route.state() == ModelWorker.State.FAILED) {
                CatalogEntry prepared = next;
                swapped = supervisor.loader().swapping(id, () -> {
                    Optional<SwapMode> how =
                            route.current() == null ? Optional.empty() : Optional.of(swap(route, now, prepared, mode));
                    activate(route, prepared);
                    return how;
                });
                next = catalog.get(id);
            } else {
                next = catalog.activate(next); // it may not have been saved
            }
            Duration duration = Duration.ofNanos(System.nanoTime() - start);
            LOG.infof(
                    "Model %s: %s is served%s",
                    id,
                    variant.map(v -> "variant " + v).orElse("the base"),
                    swapped.map(m -> " after " + duration.toMillis() + " ms (" + m + ")")
                            .orElse(" already"));
            return new SwapResult(next, swapped, duration);
        });
    }

    private SwapMode swap(ModelRoute route, CatalogEntry now, CatalogEntry next, SwapMode mode)
            throws InterruptedException {
        // The memory of a process that still ends its requests is not free.
        route.awaitRetired();
        supervisor.awaitKernels();
        Swap swap = new Swap(
                route, () -> supervisor.worker(next), () -> supervisor.worker(now), config.deadline(), background);
        long bytes = memory.ofWorker(next);
        boolean overlap = mode == SwapMode.OVERLAP
                || mode == SwapMode.AUTO && supervisor.loader().fits(bytes) && fitsBeside(route, now, next);
        supervisor.loader().replacing(route.modelId(), bytes, overlap);
        if (overlap) {
            swap.overlap();
            return SwapMode.OVERLAP;
        }
        swap.pause();
        return SwapMode.PAUSE;
    }

    /**
     * Pages of files that both map are in memory once; weights are what they are estimated at, and whatever else the
     * present process holds the next one is taken to need too.
     */
    private boolean fitsBeside(ModelRoute route, CatalogEntry now, CatalogEntry next) {
        OptionalLong available = machine.available();
        Optional<Long> pid = route.pid();
        if (pid.isEmpty()) {
            return true;
        }
        if (available.isEmpty()) {
            return false;
        }
        Map<Path, WeightMemory.Resident> before = weights(now);
        Map<Path, WeightMemory.Resident> after = weights(next);
        long mapped = after.entrySet().stream()
                .filter(file -> !before.containsKey(file.getKey()))
                .mapToLong(file -> file.getValue().mapped())
                .sum();
        long others = Math.max(0, machine.anonymous(pid.get()).orElse(0) - copied(before));
        long projector = next.mmproj()
                .filter(file -> now.mmproj().filter(file::equals).isEmpty())
                .map(ModelControl::size)
                .orElse(0L);
        return available.getAsLong() >= (mapped + copied(after) + others + projector) * MARGIN;
    }

    private static long copied(Map<Path, WeightMemory.Resident> files) {
        return files.values().stream().mapToLong(WeightMemory.Resident::copied).sum();
    }

    private Map<Path, WeightMemory.Resident> weights(CatalogEntry entry) {
        try {
            return new WeightMemory(WorkerSettings.of(config, entry.settings()).kernels())
                    .byFile(ModelFiles.of(entry.files()));
        } catch (IOException | GgufException e) {
            return Map.of(); // loading it will say so
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0; // loading it will say so
        }
    }

    /** Memory of all models' processes together. */
    public MemoryUse memory() {
        return supervisor.loader().memory();
    }

    private <T> CompletableFuture<T> operation(String id, Callable<T> body) {
        if (!busy.add(id)) {
            return CompletableFuture.failedFuture(new ModelOperationException.InProgress(id));
        }
        CompletableFuture<T> done = new CompletableFuture<>();
        try {
            background.execute(() -> {
                try {
                    T result = body.call();
                    busy.remove(id);
                    done.complete(result);
                } catch (InterruptedException e) {
                    done.completeExceptionally(new ModelOperationException.Stopping());
                } catch (Exception | Error e) {
                    busy.remove(id);
                    done.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            done.completeExceptionally(new ModelOperationException.Stopping());
        } catch (OutOfMemoryError e) { // as the system says that it gives no further thread
            busy.remove(id);
            done.completeExceptionally(e);
        }
        return done;
    }
}
