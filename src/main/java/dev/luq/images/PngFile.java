package dev.luq.images;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/**
 * A PNG file: a signature and chunks of length (uint32, big-endian), type, data, CRC. A decoder sees IHDR, PLTE, tRNS
 * and one IDAT of all.
 */
record PngFile(ImageHeader header, byte[] data, Chunk palette, Chunk transparency) implements EncodedImage {

    /** Where the data of a chunk begins, and its length. */
    private record Chunk(String type, int at, int length) {}

    private static final int SIGNATURE = 8;
    private static final int IHDR_LENGTH = 13;
    /** Length, type and CRC. */
    private static final int OVERHEAD = 12;

    private static final int LONGEST_PALETTE = 3 * 256;
    private static final int LONGEST_TRANSPARENCY = 256;
    private static final int PALETTE_COLOUR = 3;

    static PngFile of(byte[] data) {
        if (!Bytes.isText(data, SIGNATURE + 4, "IHDR") || Bytes.u32be(data, SIGNATURE) != IHDR_LENGTH) {
            throw ImageException.damaged(ImageFormat.PNG);
        }
        Chunk palette = null;
        Chunk transparency = null;
        long pixelData = 0;
        int orientation = ExifOrientation.UPRIGHT;
        for (Chunk chunk = chunk(data, SIGNATURE); chunk != null; chunk = next(data, chunk)) {
            switch (chunk.type) {
                case "PLTE" -> palette = bounded(chunk, LONGEST_PALETTE);
                case "tRNS" -> transparency = bounded(chunk, LONGEST_TRANSPARENCY);
                case "IDAT" -> pixelData += chunk.length;
                case "eXIf" -> orientation = ExifOrientation.of(data, chunk.at, chunk.length);
                default -> {}
            }
        }
        if (pixelData == 0) {
            throw ImageException.damaged(ImageFormat.PNG);
        }
        return new PngFile(header(data, orientation, transparency != null), data, palette, transparency);
    }

    private static ImageHeader header(byte[] data, int orientation, boolean transparency) {
        int at = SIGNATURE + 8;
        long width = Bytes.u32be(data, at);
        long height = Bytes.u32be(data, at + 4);
        int depth = Bytes.u8(data, at + 8);
        int colour = Bytes.u8(data, at + 9);
        boolean depthIsAllowed =
                switch (colour) {
                    case 0 -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
                    case PALETTE_COLOUR -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
                    case 2, 4, 6 -> depth == 8 || depth == 16;
                    default -> false;
                };
        int interlace = Bytes.u8(data, at + 12);
        if (!depthIsAllowed
                || Bytes.u16be(data, at + 10) != 0
                || interlace > 1
                || width == 0
                || height == 0
                || width > Integer.MAX_VALUE
                || height > Integer.MAX_VALUE) {
            throw ImageException.damaged(ImageFormat.PNG);
        }
        int channels =
                switch (colour) {
                    case 2 -> 3;
                    case 4 -> 2;
                    case 6 -> 4;
                    default -> 1;
                };
        if (transparency && colour != PALETTE_COLOUR) {
            channels++;
        }
        int bytesPerPixel = channels * (depth == 16 ? 2 : 1);
        // The file once more without what is of no use; rows as they are, filtered, and as samples of four bytes.
        return new ImageHeader(
                ImageFormat.PNG,
                (int) width,
                (int) height,
                orientation,
                2L * data.length + width * (2L * bytesPerPixel + 8L * channels),
                bytesPerPixel);
    }

    private static Chunk bounded(Chunk chunk, int most) {
        if (chunk.length > most) {
            throw ImageException.damaged(ImageFormat.PNG);
        }
        return chunk;
    }

    /** @return null at the end; what follows IEND is of no use, nor is what is too short for a chunk */
    private static Chunk next(byte[] data, Chunk chunk) {
        int end = chunk.at + chunk.length + 4;
        return chunk.type.equals("IEND") || end > data.length - OVERHEAD ? null : chunk(data, end);
    }

    private static Chunk chunk(byte[] data, int at) {
        long length = Bytes.u32be(data, at);
        if (length > data.length - at - OVERHEAD) {
            throw ImageException.damaged(ImageFormat.PNG);
        }
        return new Chunk(new String(data, at + 4, 4, ISO_8859_1), at + 8, (int) length);
    }

    @Override
    public Pixels decode(int every) {
        return Rasters.rgb(Readers.read(ImageFormat.PNG, essence(), every));
    }

    /** The file with what the pixels need. */
    private ByteBuffer essence() {
        ByteBuffer out = ByteBuffer.allocate(data.length + OVERHEAD);
        out.put(data, 0, SIGNATURE + OVERHEAD + IHDR_LENGTH);
        for (Chunk chunk : new Chunk[] {palette, transparency}) {
            if (chunk != null) {
                out.put(data, chunk.at - 8, chunk.length + OVERHEAD);
            }
        }
        int begin = begin(out, "IDAT");
        for (Chunk chunk = chunk(data, SIGNATURE); chunk != null; chunk = next(data, chunk)) {
            if (chunk.type.equals("IDAT")) {
                out.put(data, chunk.at, chunk.length);
            }
        }
        end(out, begin);
        end(out, begin(out, "IEND"));
        return out.flip();
    }

    private static int begin(ByteBuffer out, String type) {
        out.putInt(0).put(type.getBytes(ISO_8859_1));
        return out.position();
    }

    /** @param out allocated as a whole */
    @SuppressWarnings("ByteBufferBackingArray")
    private static void end(ByteBuffer out, int begin) {
        out.putInt(begin - 8, out.position() - begin);
        CRC32 crc = new CRC32();
        crc.update(out.array(), begin - 4, out.position() - begin + 4);
        out.putInt((int) crc.getValue());
    }
}
