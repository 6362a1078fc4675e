package dev.luq.gguf;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;

/** Writes GGUF bytes by hand, lies included, independently of the writer under test. */
final class GgufBytes {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    static GgufBytes header(long tensors, long keys) {
        return new GgufBytes().raw('G', 'G', 'U', 'F').u32(3).u64(tensors).u64(keys);
    }

    GgufBytes raw(int... bytes) {
        for (int b : bytes) {
            out.write(b);
        }
        return this;
    }

    GgufBytes u32(long value) {
        return little(value, 4);
    }

    GgufBytes u64(long value) {
        return little(value, 8);
    }

    private GgufBytes little(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >> 8 * i));
        }
        return this;
    }

    GgufBytes string(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        u64(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    GgufBytes keyU32(String key, long value) {
        return string(key).u32(4).u32(value);
    }

    GgufBytes keyText(String key, String value) {
        return string(key).u32(8).string(value);
    }

    GgufBytes tensor(String name, int type, long offset, long... shape) {
        string(name).u32(shape.length);
        for (long extent : shape) {
            u64(extent);
        }
        return u32(type).u64(offset);
    }

    /** Pads to the alignment, then this many bytes of data. */
    GgufBytes data(int alignment, int bytes) {
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        for (int i = 0; i < bytes; i++) {
            out.write(i);
        }
        return this;
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    Gguf read() throws IOException {
        return read(bytes());
    }

    static Gguf read(byte[] bytes) throws IOException {
        return new GgufReader(Channels.newChannel(new ByteArrayInputStream(bytes)), bytes.length).read();
    }
}
