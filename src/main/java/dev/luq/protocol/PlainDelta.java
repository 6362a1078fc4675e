package dev.luq.protocol;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The body of a {@link WorkerFrame.Delta} with short text and nothing else, the frame that is sent for nearly every
 * token. It is the same CBOR as any other body, written and read here without the mapper, whose time counts when a
 * token takes a few milliseconds of a small machine.
 * <pre>
 * body = BF "type" "delta" "id" text "content" text FF
 * text = 60+n n*byte (n up to 23) | 78 n n*byte (n up to 255)
 * </pre>
 */
@SuppressWarnings("UnicodeEscape") // bytes that are no text, though some could be
final class PlainDelta {

    private static final int LONGEST_TEXT = 255;
    private static final int END = 0xFF;
    private static final byte[] HEAD = bytes("\u00BF\u0064type\u0065delta\u0062id");
    private static final byte[] CONTENT = bytes("\u0067content");

    /** The longest body. */
    static final int LONGEST = HEAD.length + CONTENT.length + 2 * (2 + LONGEST_TEXT) + 1;

    private PlainDelta() {}

    private static byte[] bytes(String latin) {
        return latin.getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * Writes the body.
     *
     * @param target has room for {@link #LONGEST} bytes at offset
     * @return the end of the body, or offset when this frame is not of this kind
     */
    static int write(WorkerFrame frame, byte[] target, int offset) {
        if (!(frame instanceof WorkerFrame.Delta delta)
                || delta.toolCall() != null
                || delta.logprobs() != null
                || delta.content() == null
                || delta.content().length() > LONGEST_TEXT) {
            return offset;
        }
        byte[] id = delta.id().getBytes(StandardCharsets.UTF_8);
        byte[] content = delta.content().getBytes(StandardCharsets.UTF_8);
        if (id.length > LONGEST_TEXT || content.length > LONGEST_TEXT) {
            return offset;
        }
        int at = put(HEAD, target, offset);
        at = putText(id, target, at);
        at = put(CONTENT, target, at);
        at = putText(content, target, at);
        target[at] = (byte) END;
        return at + 1;
    }

    private static int put(byte[] bytes, byte[] target, int at) {
        System.arraycopy(bytes, 0, target, at, bytes.length);
        return at + bytes.length;
    }

    private static int putText(byte[] text, byte[] target, int at) {
        int next = at;
        if (text.length <= 23) {
            target[next++] = (byte) (0x60 + text.length);
        } else {
            target[next++] = 0x78;
            target[next++] = (byte) text.length;
        }
        return put(text, target, next);
    }

    /** @return null when these bytes are not of this kind */
    static WorkerFrame.Delta read(byte[] source, int offset, int length) {
        int end = offset + length;
        int id = skip(HEAD, source, offset, end);
        int idEnd = textEnd(source, id, end);
        int content = skip(CONTENT, source, idEnd, end);
        int contentEnd = textEnd(source, content, end);
        if (contentEnd != end - 1 || (source[contentEnd] & 0xFF) != END) {
            return null;
        }
        return new WorkerFrame.Delta(text(source, id, idEnd), text(source, content, contentEnd), null, null);
    }

    /** @return where what follows these bytes begins, or end when they are not there */
    private static int skip(byte[] bytes, byte[] source, int at, int end) {
        int next = at + bytes.length;
        return next < end && Arrays.equals(source, at, next, bytes, 0, bytes.length) ? next : end;
    }

    /** @return where the text ends, at most end; end also when there is none */
    private static int textEnd(byte[] source, int at, int end) {
        if (at + 1 >= end) {
            return end;
        }
        int first = source[at] & 0xFF;
        if (first >= 0x60 && first <= 0x77) {
            return Math.min(end, at + 1 + first - 0x60);
        }
        return first == 0x78 ? Math.min(end, at + 2 + (source[at + 1] & 0xFF)) : end;
    }

    private static String text(byte[] source, int at, int end) {
        int start = at + ((source[at] & 0xFF) == 0x78 ? 2 : 1);
        return new String(source, start, end - start, StandardCharsets.UTF_8);
    }
}
