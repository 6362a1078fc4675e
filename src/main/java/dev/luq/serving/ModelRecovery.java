package dev.luq.serving;

import dev.luq.catalog.Catalog;
import dev.luq.catalog.CatalogEntry;
import dev.luq.catalog.CatalogException;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Tries models again that cannot be served: one whose files were missing, cut off or unusable is loaded when they have
 * changed, and have not changed again between two checks.
 */
@ApplicationScoped
public class ModelRecovery {

    private static final Logger LOG = Logger.getLogger(ModelRecovery.class);

    /**
     * What is known of a model that cannot be served.
     *
     * @param tried its files when it was loaded last; null when they never were
     * @param seen its files at the last check
     */
    private record Watched(FileStamps tried, FileStamps seen) {}

    private final Catalog catalog;
    private final Supervisor supervisor;
    private final ModelControl control;
    private final WorkerConfig config;
    private final Map<String, Watched> watched = new HashMap<>();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(body -> {
        Thread thread = new Thread(body, "luq-model-recovery");
        thread.setDaemon(true);
        return thread;
    });

    @Inject
    ModelRecovery(Catalog catalog, Supervisor supervisor, ModelControl control, WorkerConfig config) {
        this.catalog = catalog;
        this.supervisor = supervisor;
        this.control = control;
        this.config = config;
    }

    /** After the supervisor. */
    void start(@Observes @Priority(10_000) StartupEvent event) {
        long interval = config.fileCheckInterval().toMillis();
        timer.scheduleWithFixedDelay(this::checkAll, interval, interval, TimeUnit.MILLISECONDS);
    }

    void stop(@Observes @Priority(1) ShutdownEvent event) {
        timer.shutdownNow();
    }

    private void checkAll() {
        for (CatalogEntry entry : catalog.entries()) {
            try {
                check(entry);
            } catch (RuntimeException e) {
                LOG.errorf(e, "Model %s cannot be checked", entry.id());
            }
        }
    }

    private void check(CatalogEntry entry) {
        ModelRoute route = supervisor.routeOf(entry.id());
        if (route == null || entry.unloaded() || route.state() != ModelWorker.State.FAILED) {
            watched.remove(entry.id());
            return;
        }
        FileStamps now = FileStamps.of(files(entry));
        Watched before = watched.getOrDefault(entry.id(), new Watched(triedFiles(route), null));
        boolean changed = !now.files().isEmpty() && !now.equals(before.tried());
        if (changed && now.equals(before.seen())) {
            LOG.infof("Model %s: its files have changed, it is loaded again", entry.id());
            watched.put(entry.id(), new Watched(now, now));
            control.recover(entry.id()).whenComplete((loaded, failure) -> {
                if (failure != null) {
                    LOG.warnf("Model %s is still not served: %s", entry.id(), failure.getMessage());
                }
                if (passes(failure)) {
                    timer.execute(() -> watched.put(entry.id(), new Watched(before.tried(), now)));
                }
            });
        } else {
            watched.put(entry.id(), new Watched(before.tried(), now));
        }
    }

    /** Whether it was no failure of the files: the same ones are tried again. */
    private static boolean passes(Throwable failure) {
        return failure instanceof ModelOperationException.InProgress
                || failure instanceof CatalogException.NotSaved
                || failure instanceof OutOfMemoryError;
    }

    private static FileStamps triedFiles(ModelRoute route) {
        SupervisedWorker worker = route.current();
        return worker == null ? null : worker.files().orElse(null);
    }

    private static List<Path> files(CatalogEntry entry) {
        List<Path> files = new ArrayList<>(entry.files());
        entry.base().model().stream().filter(file -> !files.contains(file)).forEach(files::add);
        entry.mmproj().ifPresent(files::add);
        return files;
    }
}
