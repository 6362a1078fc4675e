package dev.luq.images;

/**
 * What the structure of a file says of its image, read without decoding anything: time is linear in the file's bytes,
 * memory constant.
 *
 * @param width in pixels, before the image is turned upright; 1 or more
 * @param height in pixels, before the image is turned upright; 1 or more
 * @param orientation EXIF orientation 1..8
 * @param fixedBytes memory that decoding takes however few pixels are kept
 * @param bytesPerPixel the same for each pixel that is kept, beside the RGB that becomes of it
 */
public record ImageHeader(
        ImageFormat format, int width, int height, int orientation, long fixedBytes, int bytesPerPixel) {

    /** RGB, and once more while it is turned or scaled. */
    private static final int RGB_BYTES_PER_PIXEL = 6;
    /** Classes, tables, rows. */
    private static final long BASE_BYTES = 8L << 20;

    /**
     * @param data the whole file
     * @throws ImageException it is no image of a supported format, visibly damaged or incomplete, of a kind that is not
     *         decoded, or built to take more time than its size is worth
     */
    public static ImageHeader read(byte[] data) {
        return EncodedImage.of(data).header();
    }

    /** Bytes of memory that decoding takes at most, as far as the file's structure tells. */
    public long memory(int every) {
        return BASE_BYTES + fixedBytes + pixels(every) * (bytesPerPixel + RGB_BYTES_PER_PIXEL);
    }

    /**
     * Pixels that are kept.
     *
     * @param every 1 for all, 2 for every second one in both directions, and so on
     */
    public long pixels(int every) {
        return ((long) width + every - 1) / every * (((long) height + every - 1) / every);
    }

    /**
     * How many pixels to skip: none unless the memory demands it, for thin lines may lie on what is skipped, and never
     * so many that fewer than the wanted ones are kept.
     *
     * @param wanted pixels of the result at most
     * @param memory bytes that decoding may take
     * @return as in {@link #pixels}
     * @throws ImageException it does not fit in the memory
     */
    public int every(int wanted, long memory) {
        int every = 1;
        while (memory(every) > memory && pixels(every + 1) >= wanted) {
            every++;
        }
        if (memory(every) > memory) {
            throw ImageException.tooLarge("The " + format + " image of " + width + " x " + height + " pixels takes "
                    + (memory(every) >> 20) + " MiB to decode, at most " + (memory >> 20)
                    + " are allowed: scale it down"
                    + (format == ImageFormat.JPEG ? ", or save it as a baseline JPEG" : ", or send it as JPEG"));
        }
        return every;
    }
}
