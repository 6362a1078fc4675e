package dev.luq.protocol;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The body of a {@link WorkerFrame.Delta} with short text and nothing else, the frame that is sent for nearly every
 * token. It is the same CBOR as any other body, written and read here without the mapper, whose time counts when a
 * token takes a few milliseconds of a small machine.
 * <pre>
 * body  = BF "type" "delta" "id" text "content" text "tokens" count FF
 * text  = 60+n n*byte (n up to 23) | 78 n n*byte (n up to 255)
 * count = n (up to 23) | 18 n (up to 255) | 19 2*byte | 1A 4*byte
 * </pre>
 */
@SuppressWarnings("UnicodeEscape") // bytes that are no text, though some could be
final class PlainDelta {

    private static final int LONGEST_TEXT = 255;
    private static final int END = 0xFF;
    private static final byte[] HEAD = bytes("\u00BF\u0064type\u0065delta\u0062id");
    private static final byte[] CONTENT = bytes("\u0067content");
    private static final byte[] TOKENS = bytes("\u0066tokens");
    /** Bytes of the longest count. */
    private static final int LONGEST_COUNT = 5;

    /** The longest body. */
    static final int LONGEST =
            HEAD.length + CONTENT.length + 2 * (2 + LONGEST_TEXT) + TOKENS.length + LONGEST_COUNT + 1;

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
                || delta.thought() != null
                || delta.toolCall() != null
                || delta.logprobs() != null
                || delta.content() == null
                || delta.tokens() < 0
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
        at = put(TOKENS, target, at);
        at = putCount(delta.tokens(), target, at);
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

    private static int putCount(int count, byte[] target, int at) {
        if (count <= 23) {
            target[at] = (byte) count;
            return at + 1;
        }
        int bytes = count <= 0xFF ? 1 : count <= 0xFFFF ? 2 : 4;
        target[at] = (byte) (bytes == 1 ? 0x18 : bytes == 2 ? 0x19 : 0x1A);
        for (int i = 1; i <= bytes; i++) {
            target[at + i] = (byte) (count >> 8 * (bytes - i));
        }
        return at + 1 + bytes;
    }

    /** @return null when these bytes are not of this kind */
    static WorkerFrame.Delta read(byte[] source, int offset, int length) {
        int end = offset + length;
        int id = skip(HEAD, source, offset, end);
        int idEnd = textEnd(source, id, end);
        int content = skip(CONTENT, source, idEnd, end);
        int contentEnd = textEnd(source, content, end);
        int tokens = skip(TOKENS, source, contentEnd, end);
        int tokensEnd = tokens == end ? end : tokens + countLength(source[tokens] & 0xFF);
        if (tokensEnd != end - 1 || (source[tokensEnd] & 0xFF) != END) {
            return null;
        }
        int count = count(source, tokens, tokensEnd);
        return count < 0
                ? null
                : new WorkerFrame.Delta(text(source, id, idEnd), text(source, content, contentEnd), null, null, count);
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

    /** @return bytes of the count that begins with this one, which may be none of our kinds */
    private static int countLength(int first) {
        return switch (first) {
            case 0x18 -> 2;
            case 0x19 -> 3;
            case 0x1A -> LONGEST_COUNT;
            default -> 1;
        };
    }

    /** @return less than 0 for no count, or too large a one */
    private static int count(byte[] source, int at, int end) {
        if (end == at + 1) {
            return source[at] <= 23 ? source[at] : -1;
        }
        int count = 0;
        for (int i = at + 1; i < end; i++) {
            count = count << 8 | source[i] & 0xFF;
        }
        return count;
    }

    private static String text(byte[] source, int at, int end) {
        int start = at + ((source[at] & 0xFF) == 0x78 ? 2 : 1);
        return new String(source, start, end - start, StandardCharsets.UTF_8);
    }
}
