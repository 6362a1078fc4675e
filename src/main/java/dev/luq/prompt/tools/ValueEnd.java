package dev.luq.prompt.tools;

/**
 * Looks for the end of a JSON object or array in text that comes in pieces. For text that is no JSON, any end will do.
 */
final class ValueEnd {

    private int depth;
    private boolean inString;
    private boolean escaped;

    /**
     * @param from where what was not looked at begins
     * @return index behind the value; -1 when it goes on
     */
    int find(CharSequence text, int from) {
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (inString) {
                inString = escaped || c != '"';
                escaped = !escaped && c == '\\';
            } else if (c == '"') {
                inString = true;
            } else if (c == '{' || c == '[') {
                depth++;
            } else if ((c == '}' || c == ']') && --depth <= 0) {
                return i + 1;
            }
        }
        return -1;
    }
}
