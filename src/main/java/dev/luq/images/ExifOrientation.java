package dev.luq.images;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads the orientation tag (0x0112 of the first TIFF directory) out of EXIF metadata, and nothing else: no other
 * directory, no value. Damaged metadata does not make an image unusable: it counts as upright.
 */
final class ExifOrientation {

    static final int UPRIGHT = 1;

    private static final int TAG = 0x0112;

    private ExifOrientation() {}

    /**
     * @param at where the metadata begins in the file, with or without {@code Exif\0\0} before its TIFF structure
     * @param length in bytes, within the file
     * @return 1..8
     */
    static int of(byte[] data, int at, int length) {
        try {
            int skip = Bytes.isText(data, at, "Exif\0\0") ? 6 : 0;
            return ofTiff(ByteBuffer.wrap(data, at + skip, length - skip).slice());
        } catch (IndexOutOfBoundsException | IllegalArgumentException damaged) {
            return UPRIGHT;
        }
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
}
