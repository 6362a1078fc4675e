package dev.luq.http.access;

import dev.luq.http.ApiConfig;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * The valid keys: those of {@code luq.api.keys}, and those of the file, which is read again when it has changed. A file
 * that cannot be used changes nothing. Thread-safe.
 */
@Singleton
public final class KeyRing {

    private static final Logger LOG = Logger.getLogger(KeyRing.class);
    private static final long CHECK_MILLIS = 2_000;

    private final ApiKeys configured;
    private final Optional<KeyFile> file;
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "luq-keys");
        thread.setDaemon(true);
        return thread;
    });
    private volatile ApiKeys keys;

    /** @throws IllegalArgumentException if a key is wrong or the file cannot be used */
    @Inject
    public KeyRing(ApiConfig config) {
        this.configured = ApiKeys.parse("luq.api.keys, key", config.keys().orElse(List.of()));
        this.file = config.keysFile().map(KeyFile::new);
        if (!configured.isEmpty()) {
            ProcessSecrets.hide();
        }
        this.keys = file.map(KeyFile::readIfChanged).map(configured::and).orElse(configured);
    }

    void start(@Observes StartupEvent event) {
        if (file.isPresent()) {
            watch.scheduleWithFixedDelay(this::reload, CHECK_MILLIS, CHECK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @PreDestroy
    void stop() {
        watch.shutdownNow();
    }

    private void reload() {
        try {
            ApiKeys read = file.orElseThrow().readIfChanged();
            if (read != null) {
                keys = configured.and(read);
                LOG.infof("The API keys were read again: %d hold", keys.size());
            }
        } catch (RuntimeException e) {
            LOG.errorf("The API keys before hold on: %s", e.getMessage());
        }
    }

    public ApiKeys keys() {
        return keys;
    }
}
