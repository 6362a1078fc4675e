package dev.luq.images;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.awt.Rectangle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A WEBP file: RIFF chunks of type, length (uint32, little-endian), data padded to even. A decoder sees the frame, the
 * first of an animation, with its alpha channel.
 *
 * @param frame the chunk with the pixels
 * @param alpha their alpha channel; null when there is none or it is in the frame
 * @param place of the frame on the image's canvas
 */
record WebpFile(ImageHeader header, byte[] data, Chunk frame, Chunk alpha, Rectangle place) implements EncodedImage {

    /** Where the data of a chunk begins, and its length. */
    private record Chunk(String type, int at, int length) {
        int next() {
            return at + length + (length & 1);
        }
    }

    private static final int FILE_HEADER = 12;
    private static final int CHUNK_HEADER = 8;
    private static final int CANVAS_LENGTH = 10;
    private static final int CANVAS_ANIMATION = 0x02;
    private static final int CANVAS_ALPHA = 0x10;
    private static final int FRAME_HEADER = 16;
    private static final int LOSSLESS_SIGNATURE = 0x2f;
    /** The decoder reads ahead: at the last bits it is as many bytes further. */
    private static final int READ_AHEAD = 8;
    /** For each column of blocks of 16 x 16 pixels, four of them are held. */
    private static final long BYTES_PER_COLUMN = 24 << 10;

    static WebpFile of(byte[] data) {
        long end = CHUNK_HEADER + Bytes.u32le(data, 4);
        if (end > data.length) {
            throw damaged();
        }
        return new Scanner(data, (int) end).scan();
    }

    @Override
    public Pixels decode(int every) {
        var decoded = Readers.read(ImageFormat.WEBP, essence(), every);
        if (isAlphaRaw()) {
            byte[] opacity = WebpAlpha.read(data, alpha.at, place.width, place.height);
            decoded = Rasters.withAlpha(decoded, opacity, place.width, every);
        }
        if (place.equals(new Rectangle(header.width(), header.height()))) {
            return Rasters.rgb(decoded);
        }
        return Rasters.onCanvas(
                decoded,
                new Rectangle(
                        -place.x / every,
                        -place.y / every,
                        (header.width() + every - 1) / every,
                        (header.height() + every - 1) / every));
    }

    private boolean isAlphaRaw() {
        return alpha != null && WebpAlpha.isRaw(data, alpha.at);
    }

    /** A file with the frame alone, and its alpha channel if the decoder reads that. */
    private ByteBuffer essence() {
        ByteBuffer out = ByteBuffer.allocate(data.length + FILE_HEADER + CHUNK_HEADER + CANVAS_LENGTH + READ_AHEAD)
                .order(ByteOrder.LITTLE_ENDIAN);
        out.put("RIFF\0\0\0\0WEBP".getBytes(ISO_8859_1));
        if (alpha != null && !isAlphaRaw()) {
            out.put("VP8X".getBytes(ISO_8859_1)).putInt(CANVAS_LENGTH).putInt(CANVAS_ALPHA);
            putSide(out, place.width - 1);
            putSide(out, place.height - 1);
            put(out, alpha);
        }
        put(out, frame);
        out.putInt(4, out.position() - CHUNK_HEADER);
        out.put(new byte[READ_AHEAD]);
        return out.flip();
    }

    private static void putSide(ByteBuffer out, int value) {
        out.putShort((short) value).put((byte) (value >> 16));
    }

    private void put(ByteBuffer out, Chunk chunk) {
        out.put(chunk.type.getBytes(ISO_8859_1)).putInt(chunk.length).put(data, chunk.at, chunk.length);
        if ((chunk.length & 1) == 1) {
            out.put((byte) 0);
        }
    }

    private static ImageException damaged() {
        return ImageException.damaged(ImageFormat.WEBP);
    }

    /** Goes through the chunks once. */
    private static final class Scanner {
        private final byte[] data;
        private final int end;
        private int orientation = ExifOrientation.UPRIGHT;
        /** Width and height as VP8X says; null in a file of one chunk. */
        private Rectangle canvas;
        /** As the animation says; null in a file without. */
        private Rectangle place;

        private Chunk alpha;
        private Chunk frame;

        Scanner(byte[] data, int end) {
            this.data = data;
            this.end = end;
        }

        WebpFile scan() {
            boolean animated = false;
            for (int at = FILE_HEADER; at < end; ) {
                Chunk chunk = chunk(at, end);
                switch (chunk.type) {
                    case "VP8X" -> {
                        if (at != FILE_HEADER || chunk.length != CANVAS_LENGTH) {
                            throw damaged();
                        }
                        animated = (Bytes.u8(data, chunk.at) & CANVAS_ANIMATION) != 0;
                        canvas =
                                new Rectangle(Bytes.u24le(data, chunk.at + 4) + 1, Bytes.u24le(data, chunk.at + 7) + 1);
                    }
                    case "ANMF" -> {
                        if (animated && frame == null) {
                            animationFrame(chunk);
                        }
                    }
                    case "ALPH", "VP8 ", "VP8L" -> {
                        if (!animated) {
                            image(chunk);
                        }
                    }
                    case "EXIF" -> orientation = ExifOrientation.of(data, chunk.at, chunk.length);
                    default -> {}
                }
                at = chunk.next();
            }
            return file();
        }

        private Chunk chunk(int at, int limit) {
            long length = Bytes.u32le(data, at + 4);
            if (length > limit - at - CHUNK_HEADER) {
                throw damaged();
            }
            return new Chunk(new String(data, at, 4, ISO_8859_1), at + CHUNK_HEADER, (int) length);
        }

        private void animationFrame(Chunk chunk) {
            place = new Rectangle(
                    2 * Bytes.u24le(data, chunk.at),
                    2 * Bytes.u24le(data, chunk.at + 3),
                    Bytes.u24le(data, chunk.at + 6) + 1,
                    Bytes.u24le(data, chunk.at + 9) + 1);
            int limit = chunk.at + chunk.length;
            for (int at = chunk.at + FRAME_HEADER; at < limit && frame == null; ) {
                Chunk inner = chunk(at, limit);
                image(inner);
                at = inner.next();
            }
        }

        private void image(Chunk chunk) {
            if (frame != null) {
                return;
            }
            switch (chunk.type) {
                case "ALPH" -> alpha = chunk;
                case "VP8 ", "VP8L" -> frame = chunk;
                default -> {}
            }
        }

        private WebpFile file() {
            if (frame == null) {
                throw damaged();
            }
            boolean lossless = frame.type.equals("VP8L");
            Rectangle size = lossless ? losslessSize() : lossySize();
            boolean placed = place != null;
            if (!placed) {
                place = size;
            }
            if (canvas == null) {
                canvas = size;
            }
            if (place.width != size.width
                    || place.height != size.height
                    || !canvas.contains(place)
                    || !placed && !canvas.equals(size)) {
                throw ImageException.unsupported("The WEBP image's frame of " + size.width + " x " + size.height
                        + " pixels does not fit its canvas of " + canvas.width + " x " + canvas.height);
            }
            long pixels = (long) size.width * size.height;
            if (!lossless && alpha != null && !WebpAlpha.isSound(data, alpha.at, alpha.length, pixels)) {
                throw damaged();
            }
            // Lossless images and alpha channels are decoded whole, with transforms of a sixteenth of their pixels
            // each.
            long whole = lossless ? 6 * pixels : alpha != null ? 9 * pixels : 2 * pixels;
            return new WebpFile(
                    new ImageHeader(
                            ImageFormat.WEBP,
                            canvas.width,
                            canvas.height,
                            orientation,
                            2L * data.length + whole + BYTES_PER_COLUMN * size.width / 16,
                            4),
                    data,
                    frame,
                    lossless ? null : alpha,
                    place);
        }

        private Rectangle lossySize() {
            int at = frame.at;
            boolean keyFrame = (Bytes.u8(data, at) & 1) == 0;
            int width = Bytes.u16le(data, at + 6) & 0x3fff;
            int height = Bytes.u16le(data, at + 8) & 0x3fff;
            if (!keyFrame || !Bytes.isText(data, at + 3, "\u009d\u0001*") || width == 0 || height == 0) {
                throw damaged();
            }
            return new Rectangle(width, height);
        }

        private Rectangle losslessSize() {
            long bits = Bytes.u32le(data, frame.at + 1);
            if (Bytes.u8(data, frame.at) != LOSSLESS_SIGNATURE || bits >> 29 != 0) {
                throw damaged();
            }
            return new Rectangle((int) (bits & 0x3fff) + 1, (int) (bits >> 14 & 0x3fff) + 1);
        }
    }
}
