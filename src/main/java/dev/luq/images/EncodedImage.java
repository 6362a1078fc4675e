package dev.luq.images;

/**
 * A file whose structure was read and found sound. Of the file, only what the pixels need is shown to a decoder: no
 * text, no profile, no thumbnail, no second frame.
 */
sealed interface EncodedImage permits PngFile, JpegFile, WebpFile, GifFile {

    /** @throws ImageException as {@link ImageHeader#read} says */
    static EncodedImage of(byte[] data) {
        ImageFormat format = ImageFormat.of(data)
                .orElseThrow(() -> ImageException.unsupported(OtherFormat.of(data)
                        .map(OtherFormat::refusal)
                        .orElse("The data is no PNG, JPEG, WEBP or GIF image")));
        try {
            return switch (format) {
                case PNG -> PngFile.of(data);
                case JPEG -> JpegFile.of(data);
                case WEBP -> WebpFile.of(data);
                case GIF -> GifFile.of(data);
            };
        } catch (IndexOutOfBoundsException cutOff) {
            throw ImageException.damaged(format);
        }
    }

    ImageHeader header();

    /**
     * The image as it is stored, not turned, transparent parts on white.
     *
     * @param every as in {@link ImageHeader#pixels}
     * @throws ImageException it is damaged or cut off
     */
    Pixels decode(int every);
}
