package dev.luq.worker;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.worker.protocol.ServerFrame;
import dev.luq.worker.protocol.WorkerFrame;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/** Starts a worker for every model of the catalogue with the server, and ends them with it. */
@ApplicationScoped
public class Supervisor implements ModelWorkers {

    private static final Logger LOG = Logger.getLogger(Supervisor.class);

    private final Catalog catalog;
    private final WorkerConfig config;
    private final ScheduledExecutorService timer;
    private final Map<String, SupervisedWorker> workers = new LinkedHashMap<>();

    @Inject
    Supervisor(Catalog catalog, WorkerConfig config, @All List<GenerationListener> listeners) {
        this.catalog = catalog;
        this.config = config;
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, body -> {
            Thread thread = new Thread(body, "luq-supervisor");
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
        this.timer = executor;
        GenerationListener listener = new Listeners(listeners);
        WorkerCommand command = new WorkerCommand(config.process(), WorkerCommand.MAIN_CLASS);
        for (CatalogEntry entry : catalog.entries()) {
            workers.put(entry.id(), new SupervisedWorker(entry.id(), load(entry), config,
                    (modelId, events) -> WorkerProcess.start(modelId, command.line(modelId), events), timer, listener));
        }
    }

    private ServerFrame.Load load(CatalogEntry entry) {
        return new ServerFrame.Load(entry.files().stream().map(Path::toString).toList(),
                entry.mmproj().map(Path::toString).orElse(null), config.contextSize(), config.slots(),
                config.batchSize(), config.threads(), config.imageThreads(), config.imageCacheBytes(),
                config.imageMaxTokens());
    }

    void start(@Observes StartupEvent event) {
        for (CatalogEntry entry : catalog.entries()) {
            SupervisedWorker worker = workers.get(entry.id());
            entry.problem().ifPresentOrElse(worker::fail, worker::start);
        }
    }

    /** The first moment of a shutdown: streams still reach their clients, also with the news that they are given up. */
    void leave(@Observes ShutdownDelayInitiatedEvent event) {
        workers.values().forEach(SupervisedWorker::drain);
        timer.schedule(() -> workers.values().forEach(SupervisedWorker::giveUp), config.drainTime().toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** Connections are closed by now. */
    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        workers.values().forEach(SupervisedWorker::drain);
        for (SupervisedWorker worker : workers.values()) {
            worker.end(System.nanoTime());
        }
        timer.shutdownNow();
    }

    @Override
    public Optional<ModelWorker> find(String modelId) {
        return catalog.find(modelId).map(entry -> workers.get(entry.id()));
    }

    @Override
    public List<ModelWorker> all() {
        return List.copyOf(workers.values());
    }

    /** Tells all listeners; one that fails is logged and does not keep the others from hearing. */
    private record Listeners(List<GenerationListener> listeners) implements GenerationListener {

        private void each(Consumer<GenerationListener> event) {
            for (GenerationListener listener : listeners) {
                try {
                    event.accept(listener);
                } catch (RuntimeException e) {
                    LOG.error("A generation listener failed", e);
                }
            }
        }

        @Override
        public void rejected(String modelId, String reason) {
            each(listener -> listener.rejected(modelId, reason));
        }

        @Override
        public void firstToken(String modelId, Duration sinceSubmitted) {
            each(listener -> listener.firstToken(modelId, sinceSubmitted));
        }

        @Override
        public void nextToken(String modelId, Duration sincePrevious) {
            each(listener -> listener.nextToken(modelId, sincePrevious));
        }

        @Override
        public void ended(String modelId, String finishReason, Duration total, WorkerFrame.Accepted accepted,
                WorkerFrame.Finished finished) {
            each(listener -> listener.ended(modelId, finishReason, total, accepted, finished));
        }

        @Override
        public void workerDied(String modelId, String signal) {
            each(listener -> listener.workerDied(modelId, signal));
        }
    }
}
