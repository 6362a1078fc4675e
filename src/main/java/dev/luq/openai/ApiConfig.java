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

    /** API keys, each as a line of {@link #keysFile}; commas within one are written {@code \\,}. */
    Optional<List<String>> keys();

    /**
     * A file with one API key a line: {@code [user:|admin:]KEY [name=...] [expires=...] [requests-per-minute=...]
     * [tokens-per-minute=...] [models=...]}; blank lines and lines starting with # are skipped. It is read again when it
     * changes.
     */
    Optional<Path> keysFile();

    /** Permits serving without keys on an address that other machines reach. */
    @WithDefault("false")
    boolean anonymous();

    /** Lets metrics be read without a key although keys are configured. */
    @WithDefault("false")
    boolean openMetrics();

    /** Sites whose pages may use the server from a browser, each {@code https://host} or {@code http://host:port}. */
    Optional<List<String>> corsOrigins();

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
