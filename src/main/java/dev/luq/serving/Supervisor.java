package dev.luq.serving;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import dev.luq.catalog.LoadPolicy;
import dev.luq.catalog.VariantStore;
import dev.luq.filecache.FileCache;
import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.machine.NativeBuild;
import dev.luq.process.ChildCommand;
import dev.luq.protocol.ServerFrame;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Has a route for every model of the catalogue, starts the workers of those that are loaded with the server, and ends
 * all workers with it. {@link ModelLoader} starts and ends the others.
 */
@ApplicationScoped
public class Supervisor implements ModelWorkers {

    private static final Logger LOG = Logger.getLogger(Supervisor.class);

    private final Catalog catalog;
    private final VariantStore variants;
    private final WorkerConfig config;
    private final ScheduledExecutorService timer;
    private final GenerationListener generationListener;
    private final List<ModelListener> modelListeners;
    private final ChildCommand command;
    private final FileCache embeddings;
    private final FileCache prompts;
    private final ModelLoader loader;
    private final ExecutorService background = Executors.newCachedThreadPool(body -> {
        Thread thread = new Thread(body, "luq-model-loader");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<String, ModelRoute> routes = new ConcurrentHashMap<>();
    /** Done when this machine's kernels are known, or known not to be found out. */
    private final CompletableFuture<Void> kernels = new CompletableFuture<>();

    @Inject
    Supervisor(
            Catalog catalog,
            VariantStore variants,
            WorkerConfig config,
            DataConfig data,
            ServedMemory memory,
            @All List<GenerationListener> generationListeners,
            @All List<ModelListener> modelListeners) {
        this.catalog = catalog;
        this.variants = variants;
        this.config = config;
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, body -> {
            Thread thread = new Thread(body, "luq-supervisor");
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        this.timer = executor;
        this.generationListener = new Listeners(generationListeners);
        this.modelListeners = modelListeners;
        DataFolder folder = new DataFolder(data.dataDir());
        this.embeddings = new FileCache(folder.embeddings(), config.imageFilesBytes());
        this.prompts = new FileCache(folder.prompts(), config.promptFilesBytes());
        this.command = new ChildCommand(config.process(), ChildCommand.WORKER_MAIN);
        this.loader = new ModelLoader(
                config,
                MachineMemory.ofThisMachine(),
                timer,
                background,
                new Processes(memory),
                generationListener,
                modelListeners);
        catalog.entries().forEach(entry -> routes.put(entry.id(), route(entry)));
    }

    private ModelRoute route(CatalogEntry entry) {
        String id = entry.id();
        ModelRoute route = new ModelRoute(
                id,
                config,
                entry.settings(),
                () -> catalog.withId(id).filter(now -> !now.unloaded()).isPresent(),
                timer,
                generationListener);
        loader.add(route);
        return route;
    }

    /** What the loader does to the processes of this server's models. */
    private final class Processes implements ModelLoader.Effects {

        private final ServedMemory memory;

        Processes(ServedMemory memory) {
            this.memory = memory;
        }

        @Override
        public long estimate(String modelId) {
            return catalog.withId(modelId).map(memory::ofWorker).orElse(0L);
        }

        @Override
        public void start(ModelRoute route) {
            catalog.withId(route.modelId()).ifPresent(entry -> serve(route, entry));
        }

        @Override
        public void end(ModelRoute route) throws InterruptedException {
            SupervisedWorker last = route.replace(null);
            if (last != null) {
                route.retire(last);
            }
            route.awaitRetired();
        }
    }

    /** Loads and ends models. */
    ModelLoader loader() {
        return loader;
    }

    private ServerFrame.Load load(CatalogEntry entry) {
        WorkerSettings settings = WorkerSettings.of(config, entry.settings());
        return new ServerFrame.Load(
                entry.files().stream().map(Path::toString).toList(),
                entry.mmproj().map(Path::toString).orElse(null),
                settings.contextSize(),
                settings.slotContextSize(),
                settings.slots(),
                config.batchSize(),
                config.threads(),
                config.imageThreads(),
                config.imageCacheBytes(),
                config.promptCacheBytes(),
                ServedShape.draftTokens(config),
                settings.imageMaxTokens(),
                config.streamInterval().toMillis(),
                settings.kernels(),
                settings.kvCacheType(),
                new ServerFrame.Load.KeptFiles(entry.id(), folder(embeddings), folder(prompts)),
                settings.pooling().orElse(null),
                settings.chatTemplate().orElse(null));
    }

    /** @return null where nothing is kept */
    private static ServerFrame.Load.CacheFolder folder(FileCache cache) {
        return cache.maxBytes() > 0
                ? new ServerFrame.Load.CacheFolder(cache.path().toString(), cache.maxBytes())
                : null;
    }

    /** Removes what workers kept in files and no model will ask for. */
    void tidyCaches() {
        for (FileCache cache : List.of(embeddings, prompts)) {
            try {
                if (cache.maxBytes() > 0) {
                    cache.retain(id -> catalog.find(id).isPresent());
                } else {
                    cache.delete();
                }
            } catch (IOException e) {
                LOG.warnf(e, "Files that are no longer used cannot be removed from %s", cache.path());
            }
        }
    }

    /** A worker for these files, not started; it holds the variant's lease until it is ended. */
    SupervisedWorker worker(CatalogEntry entry) {
        Optional<VariantStore.Lease> lease = entry.variant().map(variant -> variants.lease(variant.id()));
        return new SupervisedWorker(
                entry.id(),
                load(entry),
                config,
                (modelId, events) -> WorkerProcess.start(modelId, command, events),
                timer,
                generationListener,
                routes.get(entry.id()).quarantine(),
                () -> lease.ifPresent(VariantStore.Lease::close));
    }

    void start(@Observes StartupEvent event) {
        Thread check = new Thread(this::checkKernels, "luq-kernels");
        check.setDaemon(true);
        check.start();
        tidyCaches();
        for (CatalogEntry entry : catalog.entries()) {
            ModelRoute route = routes.get(entry.id());
            if (!entry.unloaded() && entry.problem().isPresent()) {
                serve(route, entry);
            } else if (!entry.unloaded() && entry.settings().load() == LoadPolicy.START) {
                loader.enter(entry.id());
                serve(route, entry);
            }
            modelListeners.forEach(listener -> listener.added(route));
        }
    }

    private void checkKernels() {
        try {
            config.process()
                    .nativeCacheDir()
                    .map(Path::toAbsolutePath)
                    .ifPresent(dir -> System.setProperty(NativeBuild.CACHE_PROPERTY, dir.toString()));
            KernelCheck.of(config.process()).ensure().ifPresent(KernelCheck::warn);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            kernels.complete(null);
        }
    }

    /** Starts a worker as soon as this machine's kernels are known; returns at once. */
    void begin(SupervisedWorker worker) {
        kernels.thenRun(worker::start);
    }

    /** Returns when this machine's kernels are known. */
    void awaitKernels() {
        kernels.join();
    }

    private void serve(ModelRoute route, CatalogEntry entry) {
        try {
            SupervisedWorker worker = worker(entry);
            route.put(worker);
            entry.problem().ifPresentOrElse(worker::fail, () -> begin(worker));
        } catch (CatalogException e) {
            SupervisedWorker none = worker(entry.withoutVariant());
            route.put(none);
            none.fail(e.getMessage());
        }
    }

    /** The route of a model that was just registered; no worker serves it yet. */
    ModelRoute add(CatalogEntry entry) {
        ModelRoute route = routes.computeIfAbsent(entry.id(), id -> route(entry));
        modelListeners.forEach(listener -> listener.added(route));
        return route;
    }

    /** Forgets the route of a model that is no longer in the catalogue and has no process. */
    void remove(String modelId) {
        routes.remove(modelId);
        loader.remove(modelId);
        modelListeners.forEach(listener -> listener.removed(modelId));
    }

    void changed(ModelRoute route) {
        modelListeners.forEach(listener -> listener.changed(route));
    }

    /** @return null when there is no such model */
    ModelRoute routeOf(String modelId) {
        return routes.get(modelId);
    }

    /** The first moment of a shutdown: streams still reach their clients, also with the news that they are given up. */
    void leave(@Observes ShutdownDelayInitiatedEvent event) {
        loader.drain();
        routes.values().forEach(ModelRoute::drain);
        timer.schedule(
                () -> routes.values().forEach(ModelRoute::giveUp),
                config.drainTime().toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** Connections are closed by now. */
    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        loader.drain();
        routes.values().forEach(ModelRoute::drain);
        background.shutdownNow();
        for (ModelRoute route : routes.values()) {
            route.end();
        }
        timer.shutdownNow();
    }

    @Override
    public Optional<ModelWorker> find(String modelId) {
        return catalog.find(modelId).map(entry -> routes.get(entry.id()));
    }

    @Override
    public List<ModelWorker> all() {
        return catalog.entries().stream()
                .map(entry -> (ModelWorker) routes.get(entry.id()))
                .filter(Objects::nonNull)
                .toList();
    }
}
