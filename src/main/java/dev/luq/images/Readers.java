package dev.luq.images;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.stream.ImageInputStream;

/** The decoders of others. */
final class Readers {

    static {
        // Decoding needs neither a display nor files on disk.
        System.setProperty("java.awt.headless", "true");
        ImageIO.setUseCache(false);
        // Registered by hand: a registry that another class loader filled first would not know them.
        IIORegistry registry = IIORegistry.getDefaultInstance();
        registry.registerServiceProvider(new JPEGImageReaderSpi());
        registry.registerServiceProvider(new WebPImageReaderSpi());
    }

    private Readers() {}

    /**
     * @param file an array from its beginning to the limit
     * @param every as in {@link ImageHeader#pixels}
     * @throws ImageException the file is damaged or cut off
     */
    static BufferedImage read(ImageFormat format, ByteBuffer file, int every) {
        boolean[] truncated = {false};
        ImageReader reader = reader(format);
        try {
            reader.setInput(stream(format, file), false, true);
            reader.addIIOReadWarningListener((source, warning) -> truncated[0] |= tellsOfMissingData(warning));
            ImageReadParam readParam = reader.getDefaultReadParam();
            readParam.setSourceSubsampling(every, every, 0, 0);
            BufferedImage image = reader.read(0, readParam);
            if (truncated[0]) {
                throw ImageException.damaged(format);
            }
            return image;
        } catch (IOException | RuntimeException | AssertionError | StackOverflowError damaged) {
            throw ImageException.damaged(format);
        } finally {
            reader.dispose();
        }
    }

    /** @param file its array begins with it */
    @SuppressWarnings("ByteBufferBackingArray")
    private static ImageInputStream stream(ImageFormat format, ByteBuffer file) {
        return format == ImageFormat.WEBP
                ? new CompleteStream(file.array(), file.limit())
                : new ByteArrayImageInputStream(file.array(), 0, file.limit());
    }

    private static ImageReader reader(ImageFormat format) {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        try {
            return switch (format) {
                case JPEG ->
                    registry.getServiceProviderByClass(JPEGImageReaderSpi.class).createReaderInstance();
                case WEBP ->
                    registry.getServiceProviderByClass(WebPImageReaderSpi.class).createReaderInstance();
                case PNG -> ImageIO.getImageReadersByFormatName("png").next();
                case GIF -> throw new IllegalArgumentException("GIF is decoded by hand");
            };
        } catch (IOException e) {
            throw new IllegalStateException("no reader for " + format, e);
        }
    }

    /** The JPEG decoder fills what is missing with grey and only warns, of the first fault alone. */
    private static boolean tellsOfMissingData(String warning) {
        String text = warning.toLowerCase(Locale.ROOT);
        return text.contains("premature")
                || text.contains("truncated")
                || text.contains("missing eoi")
                || text.contains("marker 0xd9 instead of rst");
    }
}
