package dev.luq.decoder;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** How images are decoded. */
@ConfigMapping(prefix = "luq.images")
public interface DecoderConfig {

    /** Images decoded at the same time at most, each in a process; 0 for one a processor, but 2 at least and 4 at most. */
    @WithDefault("0")
    int concurrentDecodes();

    /** Images that may wait for that; further ones are refused with 429. */
    @WithDefault("64")
    int decodeQueue();

    /**
     * Longest time that decoding one image may take, and that one may wait for it. An image has four seconds, and one more
     * for each megapixel.
     */
    @WithDefault("30S")
    Duration decodeTimeout();

    /** Bytes of memory that decoding one image may take, beside the server's heap. One image at a time may take more than half of it. */
    @WithDefault("268435456")
    long decodeMemory();

    /** A decoder that had nothing to do for so long is ended; the next image starts a new one. */
    @WithDefault("10M")
    Duration decoderIdle();
}
