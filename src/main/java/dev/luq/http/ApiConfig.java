package dev.luq.http;

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

    /** API keys, each as a line of {@link #keysFile}; commas within one are written {@code \,}. */
    Optional<List<String>> keys();

    /**
     * A file with one API key a line: {@code [user:|admin:]KEY [name=...] [expires=...] [requests-per-minute=...]
     * [tokens-per-minute=...] [models=...]}; blank lines and lines starting with # are skipped. It is read again when it
     * changes.
     */
    Optional<Path> keysFile();

    /** Permits everybody to ask without a key, as a user, who administers nothing. */
    @WithDefault("false")
    boolean anonymous();

    /** Lets metrics be read without a key although keys are configured. */
    @WithDefault("false")
    boolean openMetrics();

    /**
     * Sites whose pages may use the server from a browser (CORS), each {@code https://host} or {@code http://host:port},
     * and applications and extensions by what they call themselves, such as {@code app://obsidian.md}; no others may.
     * {@code *} alone for every site, which needs API keys.
     */
    Optional<List<String>> corsOrigins();

    /**
     * Whether chat completions without stream tell the prompt that the chat template made, in {@code __verbose},
     * where a request does not say {@code verbose}: {@code --verbose} of llama-server.
     */
    @WithDefault("false")
    boolean verbose();

    /** Whether {@code /slots} is served; it wants the role admin where there are keys. */
    @WithDefault("true")
    boolean slots();

    /** Whether {@code /metrics} and {@code /q/metrics} are served. */
    @WithDefault("true")
    boolean metrics();

    /**
     * Whether requests that name a model that there is not get the default one, as llama-server does, for clients whose model
     * cannot be set; otherwise they are refused with 404.
     */
    @WithDefault("false")
    boolean anyModelName();

    /** Largest request body in bytes. */
    @WithDefault("67108864")
    long maxBodyBytes();

    /**
     * Memory in bytes that a client's request bodies, decoded images and answers beyond 64 KiB may hold together, answers
     * three quarters of it at most. What others hold counts seven eighths, so that there is room beside a client that
     * fills it; all clients together hold a seventh more at most. What does not fit is answered with 429, what never would
     * with 400. Empty for seven sixteenths of the largest heap.
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

    /**
     * Connections that one client's address may have open; further ones are answered with 429 and closed. Of IPv6, a network
     * of 64 bits is one client, and so is a proxy in front.
     */
    @WithDefault("1024")
    int maxConnectionsPerAddress();

    /**
     * A connection on which no request begins for this long is closed; a request begins when its whole head is there.
     * Proxies keep idle connections for 60 seconds and must be the first to close them: a request that they send at the
     * same moment is lost.
     */
    @WithDefault("75s")
    Duration idleTimeout();

    /**
     * A stream that has nothing to send for this long sends a comment, which says how far its request is; at the latest
     * after twice as long. Proxies close connections on which nothing comes for some time, often 60 seconds.
     */
    @WithDefault("5s")
    Duration streamKeepAlive();

    /**
     * Lets {@code keep_alive} of requests with keys of role user say how long their model stays loaded; that of
     * administrators always does.
     */
    @WithDefault("false")
    boolean userKeepAlive();

    /** A client that reads nothing of its answer for this long is disconnected. */
    @WithDefault("60s")
    Duration stalledClientTimeout();
}
