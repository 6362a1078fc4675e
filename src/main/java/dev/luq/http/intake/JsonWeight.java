package dev.luq.http.intake;

/**
 * What a JSON text weighs once it is parsed, reckoned from its bytes as they come: megabytes of small values become many
 * times as many of objects. Text that is no JSON has some weight too, for it is refused soon.
 */
final class JsonWeight {

    /**
     * For each object, array, string, name and place in an array or object: {@code {"a":0},} becomes about 210 bytes of
     * objects, a short string 80.
     */
    private static final int BYTES_PER_PART = 64;
    /** Of UTF-8: from this lead byte on characters do not fit one byte, nor do any others of their string. */
    private static final int FIRST_WIDE = 0xc4;

    private long parts;
    private long text;
    private boolean inString;
    private boolean escaped;
    private boolean wide;
    private long length;

    void add(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (inString) {
                addToString(bytes[i]);
            } else {
                addToStructure(bytes[i]);
            }
        }
    }

    private void addToStructure(byte b) {
        switch (b) {
            case '"' -> {
                parts++;
                inString = true;
                wide = false;
                length = 0;
            }
            case '{', '[', ',', ':' -> parts++;
            default -> {}
        }
    }

    private void addToString(byte b) {
        length++;
        if (escaped) {
            escaped = false;
            wide |= b == 'u';
        } else if (b == '\\') {
            escaped = true;
        } else if (b == '"') {
            inString = false;
            text += wide ? 2 * length : length;
        } else {
            wide |= (b & 0xff) >= FIRST_WIDE;
        }
    }

    /** Bytes of objects. */
    long objects() {
        return BYTES_PER_PART * parts;
    }

    /** Bytes of the characters of all strings. */
    long text() {
        return text;
    }
}
