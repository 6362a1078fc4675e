package dev.luq.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The grammar of the stream between server and worker:
 * <pre>
 * stream = *frame
 * frame  = length body
 * length = uint32, big-endian, 1..limit, the number of bytes of body
 * body   = one CBOR map, whose "type" is a name in {@link ServerFrame} or {@link WorkerFrame}
 * </pre>
 * Pixels are CBOR byte strings. A long body is never held in memory beside its message: it is encoded twice, first to
 * count its bytes, and decoded straight from the stream, because the worker's heap is small.
 */
public final class Frames {

    /** Bytes of a frame's length. */
    private static final int PREFIX = 4;

    /** No frame may be longer, in bytes of its body, whatever its writer and reader agree on. */
    private static final long LONGEST = 1L << 30;

    /** Texts may be as long as the frame that holds them. */
    private static final CBORFactory FACTORY = CBORFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength((int) LONGEST)
                    .build())
            .build();

    private static final CBORMapper MAPPER = CBORMapper.builder(FACTORY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
            .defaultPropertyInclusion(
                    JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
            .build();

    private Frames() {}

    /** Writes frames; not thread-safe. Does not close the stream. */
    public static final class Writer<T> {
        private final ObjectWriter writer;
        private final OutputStream out;
        private final long limit;
        private final byte[] plain = new byte[PREFIX + PlainDelta.LONGEST];

        /**
         * @param type {@link ServerFrame} or {@link WorkerFrame}
         * @param out best buffered: a frame is written in parts
         */
        public Writer(Class<T> type, OutputStream out) {
            this(type, out, LONGEST);
        }

        /**
         * @param type {@link ServerFrame} or {@link WorkerFrame}
         * @param out best buffered: a frame is written in parts
         * @param limit longest body that the reader accepts, in bytes
         */
        public Writer(Class<T> type, OutputStream out, long limit) {
            this.writer = MAPPER.writerFor(type);
            this.out = out;
            this.limit = limit;
        }

        /**
         * Writes one frame and flushes.
         *
         * @throws FrameException when the frame is longer than the limit or holds what has no encoding: nothing was
         *     written, others may follow
         * @throws IOException when the other side is gone
         */
        public void write(T frame) throws IOException {
            if (frame instanceof WorkerFrame workerFrame) {
                int end = PlainDelta.write(workerFrame, plain, PREFIX);
                if (end > PREFIX) {
                    putLength(end - PREFIX, plain);
                    out.write(plain, 0, end);
                    out.flush();
                    return;
                }
            }
            Measure body = new Measure();
            try {
                writer.writeValue(body, frame);
            } catch (JacksonException | RuntimeException e) {
                // Half of a surrogate pair, for one, has no UTF-8.
                throw new FrameException("a frame cannot be encoded", e);
            }
            long length = body.length;
            if (length > limit) {
                throw new FrameException("a frame of " + length + " bytes cannot be written");
            }
            byte[] prefix = new byte[PREFIX];
            putLength(length, prefix);
            out.write(prefix);
            if (body.isWhole()) {
                body.kept.writeTo(out);
            } else {
                writer.writeValue(out, frame);
            }
            out.flush();
        }

        private static void putLength(long length, byte[] target) {
            target[0] = (byte) (length >> 24);
            target[1] = (byte) (length >> 16);
            target[2] = (byte) (length >> 8);
            target[3] = (byte) length;
        }
    }

    /** Reads frames, and never a byte beyond the one it returns; not thread-safe. Does not close the stream. */
    public static final class Reader<T> {
        private final ObjectReader reader;
        private final InputStream in;
        private final long limit;
        private final boolean plainDeltas;
        private final byte[] shortBody = new byte[PlainDelta.LONGEST];

        /**
         * @param type {@link ServerFrame} or {@link WorkerFrame}
         * @param in best buffered: a frame is read in parts
         * @param limit longest body that is accepted, in bytes
         */
        public Reader(Class<T> type, InputStream in, long limit) {
            this.reader = MAPPER.readerFor(type);
            this.in = in;
            this.limit = limit;
            this.plainDeltas = type == WorkerFrame.class;
        }

        /**
         * Waits for the next frame.
         *
         * @return null when the stream ended between two frames
         * @throws FrameException when what arrives is no frame, is longer than the limit, or ends in the middle
         * @throws IOException when the stream cannot be read
         */
        public T read() throws IOException {
            int count = in.readNBytes(shortBody, 0, PREFIX);
            if (count < PREFIX) {
                if (count == 0) {
                    return null;
                }
                throw new FrameException("the stream ended inside a frame's length");
            }
            long length = (shortBody[0] & 0xFFL) << 24
                    | (shortBody[1] & 0xFF) << 16
                    | (shortBody[2] & 0xFF) << 8
                    | shortBody[3] & 0xFF;
            if (length == 0 || length > limit) {
                throw new FrameException("a frame of " + length + " bytes; 1 to " + limit + " are accepted");
            }
            return plainDeltas && length <= shortBody.length ? shortMessage((int) length) : message(in, length);
        }

        @SuppressWarnings("unchecked") // plainDeltas says that T is WorkerFrame
        private T shortMessage(int length) throws IOException {
            if (in.readNBytes(shortBody, 0, length) < length) {
                throw new FrameException("the stream ended inside a frame");
            }
            WorkerFrame delta = PlainDelta.read(shortBody, 0, length);
            return delta != null ? (T) delta : message(new ByteArrayInputStream(shortBody, 0, length), length);
        }

        private T message(InputStream source, long length) throws IOException {
            Body body = new Body(source, length);
            T frame;
            try (JsonParser parser = new WholeText(FACTORY.createParser(body))) {
                frame = reader.readValue(parser);
            } catch (JacksonException | RuntimeException e) {
                // Jackson answers some malformed bodies with an exception of its own making, such as a null pointer's.
                throw new FrameException("a frame of " + length + " bytes holds no message", e);
            } catch (EOFException e) {
                throw new FrameException("the stream ended inside a frame", e);
            }
            if (body.remaining > 0) {
                throw new FrameException("a frame of " + length + " bytes ends early");
            }
            return frame;
        }
    }

    /** Refuses text with half of a surrogate pair, which Jackson reads from bytes that are no UTF-8 and cannot write. */
    private static final class WholeText extends JsonParserDelegate {

        WholeText(JsonParser parser) {
            super(parser);
        }

        @Override
        public JsonToken nextToken() throws IOException {
            JsonToken token = super.nextToken();
            if ((token == JsonToken.VALUE_STRING || token == JsonToken.FIELD_NAME) && !isWhole(getText())) {
                throw new JsonParseException(this, "text that is no UTF-8");
            }
            return token;
        }

        private static boolean isWhole(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (Character.isSurrogate(c)) {
                    if (i + 1 == text.length() || !Character.isSurrogatePair(c, text.charAt(i + 1))) {
                        return false;
                    }
                    i++;
                }
            }
            return true;
        }
    }

    /** The bytes of one body; a stream that ends before them is an error. */
    private static final class Body extends InputStream {
        private final InputStream source;
        private long remaining;

        Body(InputStream source, long length) {
            this.source = source;
            this.remaining = length;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (remaining == 0) {
                return -1;
            }
            int count = source.read(target, offset, (int) Math.min(length, remaining));
            if (count < 0) {
                throw new EOFException();
            }
            remaining -= count;
            return count;
        }
    }

    /** Counts what is written and keeps it as long as it is short. */
    private static final class Measure extends OutputStream {
        private static final int SHORT = 64 * 1024;

        private final ByteArrayOutputStream kept = new ByteArrayOutputStream(512);
        private long length;

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] source, int offset, int count) {
            length += count;
            if (isWhole()) {
                kept.write(source, offset, count);
            }
        }

        boolean isWhole() {
            return length <= SHORT;
        }
    }
}
