package dev.luq.openai.images;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

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
}
