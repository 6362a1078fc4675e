package dev.luq.openai;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Settings of the HTTP API. */
@ConfigMapping(prefix = "luq.api")
public interface ApiConfig {

    /** API keys, each {@code key}, {@code user:key} or {@code admin:key}; 16 characters or more. */
    Optional<List<String>> keys();

    /** A file with one API key per line, written as in {@code keys}; blank lines and lines starting with # are skipped. */
    Optional<Path> keysFile();

    /** Permits serving without keys on an address that other machines reach. */
    @WithDefault("false")
    boolean anonymous();

    /** Lets metrics be read without a key although keys are configured. */
    @WithDefault("false")
    boolean openMetrics();

    /** Largest request body in bytes. */
    @WithDefault("67108864")
    long maxBodyBytes();

    /**
     * Memory in bytes that request bodies and decoded images may hold together. What does not fit is answered with
     * 429. Empty for half of the largest heap.
     */
    OptionalLong intakeBytes();

    /** A client that reads nothing of its stream for this long is disconnected. */
    @WithDefault("60s")
    Duration stalledClientTimeout();
}
