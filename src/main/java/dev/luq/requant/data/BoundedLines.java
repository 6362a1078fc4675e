package dev.luq.requant.data;

import java.io.BufferedReader;
import java.io.IOException;

/** Lines of a text, ended as {@link BufferedReader} ends them, of which none is held that is too long. */
final class BoundedLines {

    private final BufferedReader text;
    private final int longest;
    private boolean afterReturn;

    /** @param longest characters of a line at most */
    BoundedLines(BufferedReader text, int longest) {
        this.text = text;
        this.longest = longest;
    }

    /** Characters of a line and one more: it is too long. */
    static final class TooLong extends IOException {
        private TooLong() {
            super("a line is too long");
        }
    }

    /**
     * @return null at the end of the text
     * @throws TooLong when the next line is too long; nothing can be read after that
     */
    String next() throws IOException {
        StringBuilder line = new StringBuilder();
        boolean begun = false;
        for (int c = text.read(); c >= 0; c = text.read()) {
            boolean restOfEnd = afterReturn && c == '\n' && !begun;
            afterReturn = c == '\r';
            if (restOfEnd) {
                continue;
            }
            if (c == '\n' || c == '\r') {
                return line.toString();
            }
            begun = true;
            if (line.length() == longest) {
                throw new TooLong();
            }
            line.append((char) c);
        }
        return begun ? line.toString() : null;
    }
}
