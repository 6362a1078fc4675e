package dev.luq.schema;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A set of Unicode code points, and its grammar inside a JSON string. Immutable. */
record CharacterSet(List<Range> ranges) {

    /** Code points from low to high, both included. */
    record Range(int low, int high) {}

    private static final int LAST = Character.MAX_CODE_POINT;
    private static final int DELETE = 0x7f;
    /** Characters that JSON writes as a backslash and one letter, and that letter. */
    private static final String ESCAPED = "\"\\\b\f\n\r\t";

    private static final String ESCAPES = "\"\\bfnrt";

    static final CharacterSet DIGITS = of('0', '9');
    static final CharacterSet WORD = DIGITS.and(of('A', 'Z')).and(of('a', 'z')).and(of('_'));
    static final CharacterSet LINE_ENDS = of('\n').and(of('\r')).and(of(0x2028, 0x2029));
    static final CharacterSet SPACES = LINE_ENDS
            .and(of('\t'))
            .and(of(0x0b, 0x0c))
            .and(of(' '))
            .and(of(0xa0))
            .and(of(0x1680))
            .and(of(0x2000, 0x200a))
            .and(of(0x202f))
            .and(of(0x205f))
            .and(of(0x3000))
            .and(of(0xfeff));

    static CharacterSet of(int codePoint) {
        return of(codePoint, codePoint);
    }

    static CharacterSet of(int low, int high) {
        return new CharacterSet(List.of(new Range(low, high)));
    }

    static CharacterSet none() {
        return new CharacterSet(List.of());
    }

    CharacterSet and(CharacterSet other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        all.sort(Comparator.comparingInt(Range::low));
        List<Range> merged = new ArrayList<>();
        for (Range range : all) {
            Range last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (last != null && range.low <= last.high + 1) {
                merged.set(merged.size() - 1, new Range(last.low, Math.max(last.high, range.high)));
            } else {
                merged.add(range);
            }
        }
        return new CharacterSet(merged);
    }

    CharacterSet complement() {
        List<Range> others = new ArrayList<>();
        int from = 0;
        for (Range range : ranges) {
            if (range.low > from) {
                others.add(new Range(from, range.low - 1));
            }
            from = range.high + 1;
        }
        if (from <= LAST) {
            others.add(new Range(from, LAST));
        }
        return new CharacterSet(others);
    }

    boolean contains(int codePoint) {
        return ranges.stream().anyMatch(range -> range.low <= codePoint && codePoint <= range.high);
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    /** A GBNF expression for one of these characters as JSON writes it between quotes. */
    String grammar() {
        List<String> alternatives = new ArrayList<>();
        CharacterSet escapedOnly = of(0, 0x1f).and(of('"')).and(of('\\')).and(of(DELETE));
        CharacterSet plain = complement().and(escapedOnly).complement();
        if (!plain.isEmpty()) {
            StringBuilder brackets = new StringBuilder("[");
            for (Range range : plain.ranges) {
                brackets.append(literal(range.low));
                if (range.high > range.low) {
                    brackets.append('-').append(literal(range.high));
                }
            }
            alternatives.add(brackets.append(']').toString());
        }
        StringBuilder letters = new StringBuilder();
        StringBuilder codes = new StringBuilder();
        for (int i = 0; i < ESCAPED.length(); i++) {
            if (contains(ESCAPED.charAt(i))) {
                letters.append(literal(ESCAPES.charAt(i)));
            }
        }
        if (letters.length() > 0) {
            alternatives.add("[\\\\] [" + letters + "]");
        }
        for (int c = 0; c <= DELETE; c++) {
            if (escapedOnly.contains(c) && contains(c) && ESCAPED.indexOf(c) < 0) {
                codes.append(codes.length() == 0 ? "" : " | ").append("\"%02x\"".formatted(c));
            }
        }
        if (codes.length() > 0) {
            alternatives.add("[\\\\] \"u00\" (" + codes + ")");
        }
        return "(" + String.join(" | ", alternatives) + ")";
    }

    private static String literal(int codePoint) {
        boolean word = WORD.contains(codePoint) && codePoint != '_';
        return word ? Character.toString(codePoint) : "\\U%08X".formatted(codePoint);
    }
}
