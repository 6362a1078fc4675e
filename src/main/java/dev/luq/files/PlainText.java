package dev.luq.files;

/** Foreign text for a log or a terminal: it stays within its line and cannot pass for another line. */
public final class PlainText {

    private PlainText() {}

    /**
     * @param longest characters of the result at most, about
     * @return the text with whatever controls a terminal, ends a line or turns the direction of writing escaped as in
     *     Java; cut where it is too long
     */
    public static String of(String text, int longest) {
        int end = Math.min(text.length(), longest);
        StringBuilder plain = new StringBuilder(end + 16);
        for (int i = 0; i < end; ) {
            int character = text.codePointAt(i);
            i += Character.charCount(character);
            if (character == '\t') {
                plain.append(' ');
            } else if (isPlain(character)) {
                plain.appendCodePoint(character);
            } else {
                plain.append(
                        character < 0x10000
                                ? String.format("\\u%04x", character)
                                : String.format("\\u{%x}", character));
            }
        }
        return end < text.length()
                ? plain.append(" [")
                        .append(text.length() - end)
                        .append(" more characters]")
                        .toString()
                : plain.toString();
    }

    private static boolean isPlain(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED,
                    Character.PRIVATE_USE -> false;
            default -> true;
        };
    }
}
