package dev.luq.images;

import java.awt.Rectangle;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.util.Arrays;

/**
 * Turns whatever ImageIO decoded into plain RGB. Grey and RGB samples are copied by hand because the colour conversion
 * of the JDK takes grey samples for linear light and brightens them.
 */
final class Rasters {

    private static final int WHITE = 255;

    private Rasters() {}

    static Pixels rgb(BufferedImage image) {
        return isPlain(image) ? plain(image) : onCanvas(image, new Rectangle(image.getWidth(), image.getHeight()));
    }

    /** Whether its samples are red, green and blue bytes and nothing else. */
    private static boolean isPlain(BufferedImage image) {
        ColorModel colours = image.getColorModel();
        return colours instanceof ComponentColorModel
                && colours.getColorSpace().getType() == ColorSpace.TYPE_RGB
                && colours.getTransferType() == DataBuffer.TYPE_BYTE
                && colours.getComponentSize(0) == 8
                && image.getRaster().getNumBands() == 3;
    }

    private static Pixels plain(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] out = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        byte[] row = new byte[3 * width];
        for (int y = 0; y < height; y++) {
            image.getRaster().getDataElements(0, y, width, 1, row);
            System.arraycopy(row, 0, out, y * row.length, row.length);
        }
        return new Pixels(width, height, out);
    }

    /**
     * The image with an alpha channel.
     *
     * @param alpha one byte for each pixel that there was before some were skipped
     * @param width of the alpha channel
     * @param every of its pixels are in the image, as in {@link ImageHeader#pixels}
     */
    static BufferedImage withAlpha(BufferedImage opaque, byte[] alpha, int width, int every) {
        BufferedImage image = new BufferedImage(opaque.getWidth(), opaque.getHeight(), BufferedImage.TYPE_4BYTE_ABGR);
        WritableRaster raster = image.getRaster();
        raster.createWritableChild(0, 0, image.getWidth(), image.getHeight(), 0, 0, new int[] {0, 1, 2})
                .setRect(opaque.getRaster());
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                raster.setSample(x, y, 3, alpha[every * (y * width + x)] & 0xff);
            }
        }
        return image;
    }

    /**
     * The image on a white canvas.
     *
     * @param canvas in the image's coordinates: an image that starts 5 pixels right of the canvas's edge has a
     *        canvas with x = -5
     */
    static Pixels onCanvas(BufferedImage image, Rectangle canvas) {
        byte[] out = new byte[Math.multiplyExact(3, Math.multiplyExact(canvas.width, canvas.height))];
        boolean covered = canvas.equals(new Rectangle(image.getWidth(), image.getHeight()));
        if (!covered) {
            Arrays.fill(out, (byte) WHITE);
        }
        Rectangle visible = canvas.intersection(new Rectangle(image.getWidth(), image.getHeight()));
        int[] argb = new int[image.getWidth()];
        for (int y = visible.y; y < visible.y + visible.height; y++) {
            row(image, y, argb);
            for (int x = visible.x; x < visible.x + visible.width; x++) {
                int at = 3 * ((y - canvas.y) * canvas.width + x - canvas.x);
                int pixel = argb[x];
                int alpha = pixel >>> 24;
                out[at] = (byte) onWhite(pixel >> 16 & 0xff, alpha);
                out[at + 1] = (byte) onWhite(pixel >> 8 & 0xff, alpha);
                out[at + 2] = (byte) onWhite(pixel & 0xff, alpha);
            }
        }
        return new Pixels(canvas.width, canvas.height, out);
    }

    private static int onWhite(int value, int alpha) {
        return alpha == 255 ? value : (value * alpha + WHITE * (255 - alpha) + 127) / 255;
    }

    /** One row as A R G B, 8 bits each, not premultiplied. */
    private static void row(BufferedImage image, int y, int[] argb) {
        ColorModel colours = image.getColorModel();
        int type = colours.getColorSpace().getType();
        boolean grey = type == ColorSpace.TYPE_GRAY;
        if (!(colours instanceof ComponentColorModel)
                || !grey && type != ColorSpace.TYPE_RGB
                || colours.getComponentSize(0) > 16) {
            image.getRGB(0, y, argb.length, 1, argb, 0, argb.length);
            return;
        }
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        int[] samples = raster.getPixels(0, y, argb.length, 1, (int[]) null);
        int max = (1 << colours.getComponentSize(0)) - 1;
        for (int x = 0; x < argb.length; x++) {
            int at = x * bands;
            int red = eightBit(samples[at], max);
            int green = grey ? red : eightBit(samples[at + 1], max);
            int blue = grey ? red : eightBit(samples[at + 2], max);
            int alpha = colours.hasAlpha() ? eightBit(samples[at + bands - 1], max) : 255;
            argb[x] = alpha << 24 | red << 16 | green << 8 | blue;
        }
    }

    private static int eightBit(int sample, int max) {
        return max == 255 ? sample : (sample * 255 + max / 2) / max;
    }
}
