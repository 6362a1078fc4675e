package dev.luq.images;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.spi.IIORegistry;
import javax.imageio.stream.ImageInputStream;
import org.w3c.dom.NamedNodeMap;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * Opens one encoded image: its dimensions can be judged before {@link #decode} allocates anything of their size.
 * Not thread-safe.
 */
public final class ImageDecoder implements AutoCloseable {

    static {
        // Decoding needs neither a display nor files on disk.
        System.setProperty("java.awt.headless", "true");
        ImageIO.setUseCache(false);
        // Registered by hand: a registry that another class loader filled first would not know them.
        IIORegistry registry = IIORegistry.getDefaultInstance();
        registry.registerServiceProvider(new JPEGImageReaderSpi());
        registry.registerServiceProvider(new WebPImageReaderSpi());
    }

    private final ImageFormat format;
    private final byte[] data;
    private final ImageReader reader;
    private final ImageInputStream input;
    private final int width;
    private final int height;
    /** Where the picture's canvas lies as the first frame sees it; the frame itself lies at 0, 0. */
    private final Rectangle canvas;
    private boolean truncated;

    /**
     * @param data the whole file
     * @throws ImageException the header is damaged
     */
    public ImageDecoder(ImageFormat format, byte[] data) {
        this.format = format;
        this.data = data;
        this.input = new ByteArrayImageInputStream(data);
        this.reader = reader(format);
        try {
            if (format == ImageFormat.WEBP && data.length < 8 + Integer.toUnsignedLong(
                    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(4))) {
                // The reader fills the missing part in silence.
                throw new IOException("cut off");
            }
            // Metadata is ignored where it is of no use: text chunks of a PNG may inflate to anything.
            reader.setInput(input, false, format != ImageFormat.GIF);
            reader.addIIOReadWarningListener((source, warning) -> truncated |= tellsOfMissingData(warning));
            width = reader.getWidth(0);
            height = reader.getHeight(0);
            canvas = format == ImageFormat.GIF ? gifCanvas() : new Rectangle(width, height);
        } catch (IOException | RuntimeException e) {
            close();
            throw damaged();
        }
    }

    private static ImageReader reader(ImageFormat format) {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        try {
            return switch (format) {
                case JPEG -> registry.getServiceProviderByClass(JPEGImageReaderSpi.class).createReaderInstance();
                case WEBP -> registry.getServiceProviderByClass(WebPImageReaderSpi.class).createReaderInstance();
                case PNG, GIF -> ImageIO.getImageReadersByFormatName(format.name()).next();
            };
        } catch (IOException e) {
            throw new IllegalStateException("no reader for " + format, e);
        }
    }

    /** In pixels, before it is turned upright. */
    public int width() {
        return canvas.width;
    }

    /** In pixels, before it is turned upright. */
    public int height() {
        return canvas.height;
    }

    /**
     * The whole picture, upright, transparent parts on white. Samples are taken as they are stored: colour profiles
     * and gamma are ignored, as the preprocessing of vision models does.
     *
     * @param every 1 for all pixels, 2 for every second one in both directions, and so on
     * @throws ImageException it is damaged or cut off
     */
    public Pixels decode(int every) {
        try {
            ImageReadParam readParam = reader.getDefaultReadParam();
            readParam.setSourceSubsampling(every, every, 0, 0);
            BufferedImage frame = reader.read(0, readParam);
            if (truncated) {
                throw damaged();
            }
            Rectangle part = new Rectangle(canvas.x / every, canvas.y / every,
                    (canvas.width + every - 1) / every, (canvas.height + every - 1) / every);
            Pixels pixels = format == ImageFormat.GIF ? Rasters.onCanvas(frame, part) : Rasters.rgb(frame);
            return pixels.upright(ExifOrientation.of(format, data));
        } catch (IOException | RuntimeException e) {
            throw damaged();
        }
    }

    /** The first frame of a GIF may cover only a part of its screen. */
    private Rectangle gifCanvas() throws IOException {
        int screenWidth = (data[6] & 0xff) | (data[7] & 0xff) << 8;
        int screenHeight = (data[8] & 0xff) | (data[9] & 0xff) << 8;
        Node tree = reader.getImageMetadata(0).getAsTree("javax_imageio_gif_image_1.0");
        NodeList children = tree.getChildNodes();
        for (int i = 0; i < children.getLength(); i++) {
            if (children.item(i).getNodeName().equals("ImageDescriptor")) {
                NamedNodeMap position = children.item(i).getAttributes();
                int left = Integer.parseInt(position.getNamedItem("imageLeftPosition").getNodeValue());
                int top = Integer.parseInt(position.getNamedItem("imageTopPosition").getNodeValue());
                return new Rectangle(-left, -top, Math.max(screenWidth, left + width),
                        Math.max(screenHeight, top + height));
            }
        }
        return new Rectangle(width, height);
    }

    /** The JPEG decoder fills what is missing with grey and only warns. */
    private static boolean tellsOfMissingData(String warning) {
        String text = warning.toLowerCase(Locale.ROOT);
        return text.contains("premature") || text.contains("truncated") || text.contains("missing eoi");
    }

    private ImageException damaged() {
        return new ImageException("The " + format + " image is damaged or incomplete");
    }

    @Override
    public void close() {
        reader.dispose();
        try {
            input.close();
        } catch (IOException e) {
            throw new IllegalStateException("closing a byte array", e);
        }
    }
}
