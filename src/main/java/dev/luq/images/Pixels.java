package dev.luq.images;

import dev.luq.files.Sha256;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * Decoded pixels: {@code 3 * width * height} bytes, row by row from the top, R G B. The array is shared, not copied.
 */
public record Pixels(int width, int height, byte[] rgb) {

    public Pixels {
        if (rgb.length != 3L * width * height) {
            throw new IllegalArgumentException(rgb.length + " bytes for " + width + " x " + height + " pixels");
        }
    }

    /** Lower-case hexadecimal SHA-256 of width and height, four big-endian bytes each, and the pixels. */
    public String sha256() {
        MessageDigest digest = Sha256.create();
        digest.update(ByteBuffer.allocate(8).putInt(width).putInt(height).array());
        digest.update(rgb);
        return Sha256.hex(digest);
    }

    /**
     * The image turned upright.
     *
     * @param orientation EXIF orientation 1..8: the place of the stored first row and first column, 1 being top left
     */
    public Pixels upright(int orientation) {
        if (orientation <= 1 || orientation > 8) {
            return this;
        }
        boolean transposed = orientation >= 5;
        int outWidth = transposed ? height : width;
        int outHeight = transposed ? width : height;
        byte[] out = new byte[rgb.length];
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int column =
                        switch (orientation) {
                            case 2, 3 -> width - 1 - x;
                            case 4 -> x;
                            case 5, 6 -> y;
                            default -> width - 1 - y;
                        };
                int row =
                        switch (orientation) {
                            case 2 -> y;
                            case 3, 4 -> height - 1 - y;
                            case 5, 8 -> x;
                            default -> height - 1 - x;
                        };
                System.arraycopy(rgb, 3 * (row * width + column), out, 3 * (y * outWidth + x), 3);
            }
        }
        return new Pixels(outWidth, outHeight, out);
    }

    /**
     * The image with at most this many pixels, itself when it has no more. Every new pixel is the mean of the area
     * that it covers, so that thin lines and text fade instead of vanishing.
     */
    public Pixels within(int maxPixels) {
        long count = (long) width * height;
        if (count <= maxPixels) {
            return this;
        }
        double scale = Math.sqrt((double) maxPixels / count);
        int outWidth = Math.max(1, (int) (width * scale));
        int outHeight = Math.max(1, Math.min((int) (height * scale), maxPixels / outWidth));
        return averaged(outWidth, outHeight);
    }

    private Pixels averaged(int outWidth, int outHeight) {
        byte[] out = new byte[3 * outWidth * outHeight];
        double stepX = (double) width / outWidth;
        double stepY = (double) height / outHeight;
        // One line of the area's rows summed with their share of the pixel, then its columns.
        double[] line = new double[3 * width];
        for (int y = 0; y < outHeight; y++) {
            Arrays.fill(line, 0);
            double top = y * stepY;
            double bottom = Math.min(height, top + stepY);
            for (int row = (int) top; row < bottom; row++) {
                double share = Math.min(row + 1, bottom) - Math.max(row, top);
                int at = 3 * row * width;
                for (int i = 0; i < line.length; i++) {
                    line[i] += share * (rgb[at + i] & 0xff);
                }
            }
            for (int x = 0; x < outWidth; x++) {
                double left = x * stepX;
                double right = Math.min(width, left + stepX);
                double red = 0;
                double green = 0;
                double blue = 0;
                for (int column = (int) left; column < right; column++) {
                    double share = Math.min(column + 1, right) - Math.max(column, left);
                    red += share * line[3 * column];
                    green += share * line[3 * column + 1];
                    blue += share * line[3 * column + 2];
                }
                double area = (right - left) * (bottom - top);
                int at = 3 * (y * outWidth + x);
                out[at] = (byte) Math.round(red / area);
                out[at + 1] = (byte) Math.round(green / area);
                out[at + 2] = (byte) Math.round(blue / area);
            }
        }
        return new Pixels(outWidth, outHeight, out);
    }
}
