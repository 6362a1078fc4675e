package dev.luq.openai.images;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Limits of the images in requests. */
@ConfigMapping(prefix = "luq.images")
public interface ImagesConfig {

    /** Images in one request at most. */
    @WithDefault("16")
    int maxPerRequest();

    /** Largest encoded image in bytes. */
    @WithDefault("20971520")
    int maxBytes();

    /** Largest image in pixels, as its header declares it. */
    @WithDefault("40000000")
    long maxSourcePixels();

    /**
     * Pixels of one image that the model gets at most: larger images are scaled down, keeping their aspect ratio.
     * The default is above what common vision models use of one image.
     */
    @WithDefault("4194304")
    int maxPixels();

    /** The same for images sent with {@code "detail": "low"}. */
    @WithDefault("262144")
    int lowDetailPixels();

    /**
     * Hosts that images may be fetched from, each {@code HOST} (over HTTPS), {@code https://HOST:PORT} or
     * {@code http://HOST:PORT}; HOST is a name, {@code *.NAME} for all names below one, or an address. A host that is
     * not on the public internet is refused unless its address is named too, as {@code 10.0.0.5} or
     * {@code 10.0.0.0/8}. Empty for none: then {@code http:} and {@code https:} URLs are refused.
     */
    Optional<List<String>> urlHosts();

    /** Largest image in bytes that is fetched. */
    @WithDefault("10485760")
    int urlMaxBytes();

    /** An image is fetched within this time, redirects included, or refused. */
    @WithDefault("10s")
    Duration urlTimeout();

    /** Images fetched at once at most, of one client half of them. */
    @WithDefault("8")
    int concurrentFetches();

    /** A folder whose images requests may name as {@code file:} URLs. Empty for none. */
    Optional<Path> mediaDir();
}
