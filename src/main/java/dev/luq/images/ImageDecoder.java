package dev.luq.images;

/**
 * Decodes one image. Foreign bytes can make a decoder take more time than their structure tells, and more memory where
 * the format is WEBP: it belongs into a process whose heap is bounded and that can be ended.
 */
public final class ImageDecoder {

    /** Three bytes each are as many as an array holds. */
    private static final long MOST_PIXELS = Integer.MAX_VALUE / 3;

    private final EncodedImage image;

    /**
     * @param data the whole file; not copied
     * @throws ImageException as {@link ImageHeader#read} says
     */
    public ImageDecoder(byte[] data) {
        image = EncodedImage.of(data);
    }

    public ImageHeader header() {
        return image.header();
    }

    /**
     * The whole image, upright, transparent parts on white. Samples are taken as they are stored: colour profiles
     * and gamma are ignored, as the preprocessing of vision models does.
     *
     * @param every as in {@link ImageHeader#pixels}
     * @throws ImageException it is damaged, cut off, or larger than any array
     * @throws OutOfMemoryError it takes more than its structure tells
     */
    public Pixels decode(int every) {
        if (image.header().pixels(1) > MOST_PIXELS) {
            throw ImageException.tooLarge(
                    "The " + image.header().format() + " image has more than " + MOST_PIXELS + " pixels");
        }
        return image.decode(every).upright(image.header().orientation());
    }
}
