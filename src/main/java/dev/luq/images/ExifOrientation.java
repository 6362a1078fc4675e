package dev.luq.images;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the orientation tag (0x0112 of the first TIFF directory) out of JPEG, PNG and WEBP files. Damaged metadata
 * does not make an image unusable: it counts as upright.
 */
final class ExifOrientation {

    static final int UPRIGHT = 1;

    private static final int TAG = 0x0112;

    private ExifOrientation() {
    }

    /** @return 1..8 */
    static int of(ImageFormat format, byte[] data) {
        try {
            return switch (format) {
                case JPEG -> ofJpeg(data);
                case PNG -> ofChunks(data, 8, ByteOrder.BIG_ENDIAN, "eXIf");
                case WEBP -> ofChunks(data, 12, ByteOrder.LITTLE_ENDIAN, "EXIF");
                case GIF -> UPRIGHT;
            };
        } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException damaged) {
            return UPRIGHT;
        }
    }

    /** Segments are FF marker, then a big-endian length that counts itself; APP1 with Exif holds the TIFF structure. */
    private static int ofJpeg(byte[] data) {
        int at = 2;
        while (at + 4 <= data.length && (data[at] & 0xff) == 0xff) {
            int marker = data[at + 1] & 0xff;
            int length = (data[at + 2] & 0xff) << 8 | data[at + 3] & 0xff;
            boolean imageFollows = marker == 0xda;
            if (imageFollows || length < 2) {
                return UPRIGHT;
            }
            if (marker == 0xe1 && isText(data, at + 4, "Exif\0\0")) {
                return ofTiff(ByteBuffer.wrap(data, at + 10, length - 8).slice());
            }
            at += 2 + length;
        }
        return UPRIGHT;
    }

    /** PNG: length, type, data, CRC. WEBP (RIFF): type, length, data padded to even. */
    private static int ofChunks(byte[] data, int first, ByteOrder order, String type) {
        ByteBuffer file = ByteBuffer.wrap(data).order(order);
        boolean riff = order == ByteOrder.LITTLE_ENDIAN;
        long at = first;
        while (at + 8 <= data.length) {
            int start = (int) at;
            long length = Integer.toUnsignedLong(file.getInt(riff ? start + 4 : start));
            if (isText(data, riff ? start : start + 4, type)) {
                int skip = isText(data, start + 8, "Exif\0\0") ? 6 : 0;
                return ofTiff(ByteBuffer.wrap(data, start + 8 + skip, Math.toIntExact(length) - skip).slice());
            }
            at += 8 + length + (riff ? length & 1 : 4);
        }
        return UPRIGHT;
    }

    private static int ofTiff(ByteBuffer tiff) {
        tiff.order(tiff.getShort(0) == 0x4949 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        int entries = Short.toUnsignedInt(tiff.getShort(directory));
        for (int i = 0; i < entries; i++) {
            int entry = directory + 2 + 12 * i;
            if (Short.toUnsignedInt(tiff.getShort(entry)) == TAG) {
                int value = Short.toUnsignedInt(tiff.getShort(entry + 8));
                return value >= 1 && value <= 8 ? value : UPRIGHT;
            }
        }
        return UPRIGHT;
    }

    private static boolean isText(byte[] data, int at, String text) {
        byte[] expected = text.getBytes(StandardCharsets.ISO_8859_1);
        return at + expected.length <= data.length
                && Arrays.equals(data, at, at + expected.length, expected, 0, expected.length);
    }
}
