package dev.luq.images;

import java.util.Arrays;

/**
 * A GIF file, of which the first frame is decoded, by hand: it ends with the frame's last pixel, however much its data
 * would go on to unpack to.
 *
 * @param at where the frame's data begins: the size of its first codes, then blocks
 */
record GifFile(
        ImageHeader header,
        byte[] data,
        int left,
        int top,
        int width,
        int height,
        boolean interlaced,
        int palette,
        int colours,
        int transparent,
        int at)
        implements EncodedImage {

    private static final int SCREEN = 6;
    private static final int AFTER_SCREEN = 13;
    private static final int HAS_PALETTE = 0x80;
    private static final int INTERLACED = 0x40;
    private static final int EXTENSION = 0x21;
    private static final int FRAME = 0x2c;
    private static final int GRAPHIC_CONTROL = 0xf9;
    private static final int NONE = -1;
    private static final int[] FIRST_ROW = {0, 4, 2, 1};
    private static final int[] ROW_STEP = {8, 8, 4, 2};
    private static final byte WHITE = (byte) 255;

    static GifFile of(byte[] data) {
        int screenFlags = Bytes.u8(data, SCREEN + 4);
        int palette = AFTER_SCREEN;
        int colours = (screenFlags & HAS_PALETTE) == 0 ? 0 : 2 << (screenFlags & 7);
        int transparent = NONE;
        int at = AFTER_SCREEN + 3 * colours;
        while (Bytes.u8(data, at) != FRAME) {
            if (Bytes.u8(data, at) != EXTENSION) {
                throw ImageException.damaged(ImageFormat.GIF);
            }
            if (Bytes.u8(data, at + 1) == GRAPHIC_CONTROL && Bytes.u8(data, at + 2) >= 4) {
                transparent = (Bytes.u8(data, at + 3) & 1) == 0 ? NONE : Bytes.u8(data, at + 6);
            }
            at = afterBlocks(data, at + 2);
        }
        int width = Bytes.u16le(data, at + 5);
        int height = Bytes.u16le(data, at + 7);
        int flags = Bytes.u8(data, at + 9);
        int left = Bytes.u16le(data, at + 1);
        int top = Bytes.u16le(data, at + 3);
        at += 10;
        if ((flags & HAS_PALETTE) != 0) {
            palette = at;
            colours = 2 << (flags & 7);
            at += 3 * colours;
        }
        if (width == 0 || height == 0 || Bytes.u8(data, at) < 1 || Bytes.u8(data, at) > 8) {
            throw ImageException.damaged(ImageFormat.GIF);
        }
        afterBlocks(data, at + 1);
        // A frame beyond the screen enlarges it, as browsers have it.
        ImageHeader header = new ImageHeader(
                ImageFormat.GIF,
                Math.max(Bytes.u16le(data, SCREEN), left + width),
                Math.max(Bytes.u16le(data, SCREEN + 2), top + height),
                ExifOrientation.UPRIGHT,
                data.length + (long) width * height,
                0);
        return new GifFile(
                header, data, left, top, width, height, (flags & INTERLACED) != 0, palette, colours, transparent, at);
    }

    /** @param at of a block's length; blocks end with one of no length */
    private static int afterBlocks(byte[] data, int at) {
        int end = at;
        while (data[end] != 0) {
            end += 1 + Bytes.u8(data, end);
        }
        return end + 1;
    }

    @Override
    public Pixels decode(int every) {
        byte[] indices = new byte[Math.multiplyExact(width, height)];
        if (new GifCodes(data, at).unpack(indices) < indices.length) {
            throw ImageException.damaged(ImageFormat.GIF);
        }
        int outWidth = (header.width() + every - 1) / every;
        int outHeight = (header.height() + every - 1) / every;
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(outWidth, outHeight))];
        Arrays.fill(rgb, WHITE);
        int[] rows = rows();
        for (int y = 0; y < outHeight; y++) {
            int row = y * every - top;
            for (int x = 0; row >= 0 && row < height && x < outWidth; x++) {
                int column = x * every - left;
                if (column >= 0 && column < width) {
                    colour(indices[rows[row] * width + column] & 0xff, rgb, 3 * (y * outWidth + x));
                }
            }
        }
        return new Pixels(outWidth, outHeight, rgb);
    }

    private void colour(int index, byte[] rgb, int to) {
        if (index == transparent) {
            return;
        }
        if (index < colours) {
            System.arraycopy(data, palette + 3 * index, rgb, to, 3);
        } else {
            // Without a palette, indices are shades of grey; beyond one, they are black.
            Arrays.fill(rgb, to, to + 3, (byte) (colours == 0 ? index : 0));
        }
    }

    /** Where each row of the image is in the order of the file. */
    private int[] rows() {
        int[] rows = new int[height];
        int stored = 0;
        if (!interlaced) {
            Arrays.setAll(rows, row -> row);
            return rows;
        }
        for (int pass = 0; pass < FIRST_ROW.length; pass++) {
            for (int row = FIRST_ROW[pass]; row < height; row += ROW_STEP[pass]) {
                rows[row] = stored++;
            }
        }
        return rows;
    }
}
