package dev.luq.protocol;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** The pixels of an image, which are let go as soon as nobody needs them, while frames still name them. Thread-safe. */
public final class ImagePixels {

    private volatile byte[] rgb;

    /** @param rgb row by row from the top, R G B; not to be changed any more */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public ImagePixels(byte[] rgb) {
        this.rgb = rgb;
    }

    /** @return null when they were let go */
    @JsonValue
    public byte[] rgb() {
        return rgb;
    }

    /** Their memory is free again. */
    public void letGo() {
        rgb = null;
    }
}
