package dev.luq.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The grammar's little-endian terminals, for writing. */
final class GgufEncoder {

    private GgufEncoder() {}

    static void u32(ByteArrayOutputStream out, long value) {
        number(out, value, 4);
    }

    static void u64(ByteArrayOutputStream out, long value) {
        number(out, value, 8);
    }

    static void string(ByteArrayOutputStream out, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        u64(out, bytes.length);
        out.writeBytes(bytes);
    }

    /** The type's number and the content. */
    static void value(ByteArrayOutputStream out, GgufValue value) {
        u32(out, value.type().id());
        content(out, value);
    }

    static void content(ByteArrayOutputStream out, GgufValue value) {
        if (value instanceof GgufValue.Int v) {
            number(out, v.value(), v.type().minimumBytes());
        } else if (value instanceof GgufValue.Real v) {
            if (v.type() == GgufValueType.FLOAT32) {
                u32(out, Float.floatToRawIntBits((float) v.value()));
            } else {
                u64(out, Double.doubleToRawLongBits(v.value()));
            }
        } else if (value instanceof GgufValue.Bool v) {
            out.write(v.value() ? 1 : 0);
        } else if (value instanceof GgufValue.Text v) {
            string(out, v.value());
        } else if (value instanceof GgufValue.Array v) {
            u32(out, v.elementType().id());
            u64(out, v.size());
            out.writeBytes(v.content());
        }
    }

    private static void number(ByteArrayOutputStream out, long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> (8 * i)));
        }
    }
}
