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

    /** A request's body is complete within this time, or refused with 408. */
    @WithDefault("5m")
    Duration bodyDeadline();

    /** Bytes a second that a body has to come with at least, or it is refused with 408. */
    @WithDefault("1024")
    long minBodyRate();

    /** Over how long that is measured: so long a client may send less. */
    @WithDefault("10s")
    Duration bodyRateWindow();

    /** Connections that one client's address may have open; further ones are answered with 429 and closed. */
    @WithDefault("1024")
    int maxConnectionsPerAddress();

    /** A connection on which no request begins for this long is closed; a request begins when its whole head is there. */
    @WithDefault("60s")
    Duration idleTimeout();

    /** A client that reads nothing of its answer for this long is disconnected. */
    @WithDefault("60s")
    Duration stalledClientTimeout();
}
