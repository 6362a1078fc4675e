package dev.luq.schema;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A regular expression of a schema's {@code pattern} (ECMAScript, as JSON Schema has it) as GBNF for the characters between
 * the quotes of a JSON string, where {@code char} is any of them: lines of rules, and an expression as the last line. An
 * expression that is not anchored matches anywhere. What a grammar cannot say, such as look-ahead, is refused.
 */
final class PatternGrammar {

    /** Characters of the longest expression. */
    static final int LONGEST = 1024;
    /** How often one repetition may repeat. */
    static final int MOST_REPETITIONS = 2000;
    /** How often all of them together may, not multiplied where one is in another. */
    private static final int MOST_REPETITIONS_OF_ALL = 10_000;

    private static final int DEEPEST = 32;
    private static final int LONGEST_GRAMMAR = 64 * 1024;

    /** Any text. */
    static final String ANY = "char*";

    /** An expression that cannot be used. */
    static final class Unusable extends Exception {
        final boolean tooComplex;

        Unusable(String message, boolean tooComplex) {
            super(message, null, false, false);
            this.tooComplex = tooComplex;
        }
    }

    /** @param mayBeEmpty whether it matches the empty text */
    private record Expression(String grammar, boolean mayBeEmpty) {}

    private static final Expression NOTHING = new Expression("\"\"", true);

    private final String pattern;
    /** Of names of rules: no two expressions of a grammar share one. */
    private final String prefix;

    private final StringBuilder rules = new StringBuilder();
    private int ruleCount;
    private int repetitions;
    private int at;
    private int depth;

    private PatternGrammar(String pattern) {
        this.pattern = pattern;
        this.prefix = "pattern-"
                + Long.toHexString(UUID.nameUUIDFromBytes(pattern.getBytes(StandardCharsets.UTF_8))
                        .getMostSignificantBits())
                + "-";
    }

    /** @throws Unusable when it is malformed, too long, or more than a grammar can say */
    static String of(String pattern) throws Unusable {
        if (pattern.length() > LONGEST) {
            throw new Unusable("is longer than " + LONGEST + " characters", true);
        }
        PatternGrammar parser = new PatternGrammar(pattern);
        String expression = parser.alternatives(true).grammar;
        if (parser.at < pattern.length()) {
            throw malformed("has a ) without its (");
        }
        String grammar = parser.rules + expression;
        if (grammar.length() > LONGEST_GRAMMAR) {
            throw tooComplex();
        }
        return grammar;
    }

    /**
     * A rule of its own: what is repeated must be short, because a grammar copies it.
     *
     * @return its name
     */
    private String rule(String expression) {
        String name = prefix + ruleCount++;
        rules.append(name).append(" ::= ").append(expression).append('\n');
        return name;
    }

    private Expression alternatives(boolean top) throws Unusable {
        List<String> alternatives = new ArrayList<>();
        boolean mayBeEmpty = false;
        do {
            Expression one = sequence(top);
            alternatives.add(one.grammar);
            mayBeEmpty |= one.mayBeEmpty;
        } while (take('|'));
        return new Expression(String.join(" | ", alternatives), mayBeEmpty);
    }

    private Expression sequence(boolean top) throws Unusable {
        List<String> items = new ArrayList<>();
        boolean mayBeEmpty = true;
        boolean open = top && !take('^');
        if (open) {
            items.add(ANY);
        }
        open = top;
        while (at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
            if (top && pattern.charAt(at) == '$' && (at + 1 == pattern.length() || pattern.charAt(at + 1) == '|')) {
                at++;
                open = false;
                break;
            }
            Expression one = repeated();
            items.add(one.grammar);
            mayBeEmpty &= one.mayBeEmpty;
        }
        if (open) {
            items.add(ANY);
        }
        return items.isEmpty() ? NOTHING : new Expression(String.join(" ", items), mayBeEmpty);
    }

    private Expression repeated() throws Unusable {
        Expression one = atom();
        int least;
        int most;
        int start = at;
        if (take('*')) {
            least = 0;
            most = -1;
        } else if (take('+')) {
            least = 1;
            most = -1;
        } else if (take('?')) {
            least = 0;
            most = 1;
        } else if (take('{')) {
            least = number();
            most = least;
            if (least >= 0 && take(',')) {
                most = number();
            }
            if (least < 0 || !take('}')) {
                at = start; // a brace that begins no repetition is a character
                return one;
            }
        } else {
            return one;
        }
        take('?'); // a lazy repetition matches the same texts
        if (most >= 0 && most < least) {
            throw malformed("repeats from more to fewer times");
        }
        if (least > MOST_REPETITIONS || most > MOST_REPETITIONS) {
            throw new Unusable("repeats more than " + MOST_REPETITIONS + " times", true);
        }
        repetitions += Math.max(least, most);
        if (repetitions > MOST_REPETITIONS_OF_ALL) {
            throw tooComplex();
        }
        if (most == 0) {
            return NOTHING;
        }
        if (most < 0 && one.mayBeEmpty) {
            throw unsupported("an endless repetition of what may be empty");
        }
        String times =
                most >= 0 ? "{" + least + "," + most + "}" : least == 0 ? "*" : least == 1 ? "+" : "{" + least + ",}";
        return new Expression(rule(one.grammar) + times, least == 0 || one.mayBeEmpty);
    }

    /** @return -1 when there is none */
    private int number() {
        int begin = at;
        while (at < pattern.length() && Character.digit(pattern.charAt(at), 10) >= 0 && pattern.charAt(at) < 0x80) {
            at++;
        }
        if (begin == at) {
            return -1;
        }
        return at - begin > 6 ? Integer.MAX_VALUE : Integer.parseInt(pattern.substring(begin, at));
    }

    private Expression atom() throws Unusable {
        int c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> set(brackets());
            case '.' -> set(CharacterSet.LINE_ENDS.complement());
            case '\\' -> set(escape(false));
            case '^', '$' -> throw unsupported("an anchor in its middle");
            case '*', '+', '?' -> throw malformed("repeats nothing");
            default -> set(CharacterSet.of(c));
        };
    }

    private static Expression set(CharacterSet set) throws Unusable {
        if (set.isEmpty()) {
            throw malformed("has a class of no characters");
        }
        return new Expression(set.grammar(), false);
    }

    private Expression group() throws Unusable {
        if (take('?')) {
            if (take('<') && (peek() == '=' || peek() == '!')) {
                throw unsupported("look-behind");
            }
            if (pattern.charAt(at - 1) == '<') {
                int end = pattern.indexOf('>', at);
                if (end < 0) {
                    throw malformed("has a group without a name");
                }
                at = end + 1;
            } else if (peek() == '=' || peek() == '!') {
                throw unsupported("look-ahead");
            } else if (!take(':')) {
                throw unsupported("this kind of group");
            }
        }
        if (++depth > DEEPEST) {
            throw new Unusable("nests groups deeper than " + DEEPEST + " levels", true);
        }
        Expression inner = alternatives(false);
        depth--;
        if (!take(')')) {
            throw malformed("has a ( without its )");
        }
        return new Expression("(" + inner.grammar + ")", inner.mayBeEmpty);
    }

    private CharacterSet brackets() throws Unusable {
        boolean negated = take('^');
        CharacterSet set = CharacterSet.none();
        while (!take(']')) {
            CharacterSet one = member();
            if (peek() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
                at++;
                CharacterSet end = member();
                int low = single(one);
                int high = single(end);
                if (high < low) {
                    throw malformed("has a range of characters that ends before it begins");
                }
                one = CharacterSet.of(low, high);
            }
            set = set.and(one);
        }
        return negated ? set.complement() : set;
    }

    private CharacterSet member() throws Unusable {
        int c = next();
        return c == '\\' ? escape(true) : CharacterSet.of(c);
    }

    private static int single(CharacterSet set) throws Unusable {
        CharacterSet.Range range = set.ranges().get(0);
        if (set.ranges().size() > 1 || range.low() != range.high()) {
            throw malformed("has a range of characters that begins or ends with a class");
        }
        return range.low();
    }

    private CharacterSet escape(boolean inBrackets) throws Unusable {
        int c = next();
        return switch (c) {
            case 'd' -> CharacterSet.DIGITS;
            case 'D' -> CharacterSet.DIGITS.complement();
            case 'w' -> CharacterSet.WORD;
            case 'W' -> CharacterSet.WORD.complement();
            case 's' -> CharacterSet.SPACES;
            case 'S' -> CharacterSet.SPACES.complement();
            case 't' -> CharacterSet.of('\t');
            case 'n' -> CharacterSet.of('\n');
            case 'v' -> CharacterSet.of(0x0b);
            case 'f' -> CharacterSet.of('\f');
            case 'r' -> CharacterSet.of('\r');
            case 'x' -> CharacterSet.of(hex(2));
            case 'u' -> CharacterSet.of(unicode());
            case 'c' -> CharacterSet.of(next() & 0x1f);
            case 'p', 'P' -> throw unsupported("\\p, a class of characters by their Unicode property");
            case 'b' -> {
                if (!inBrackets) {
                    throw unsupported("\\b, a word's boundary");
                }
                yield CharacterSet.of('\b');
            }
            case 'B' -> throw unsupported("\\B, no word's boundary");
            case 'k' -> throw unsupported("\\k, a back-reference");
            default -> {
                if (c == '0' && Character.digit(peek(), 10) < 0) {
                    yield CharacterSet.of(0);
                }
                if (c < 0x80 && Character.isDigit(c)) {
                    throw unsupported("a back-reference");
                }
                if (c < 0x80 && Character.isLetter(c)) {
                    throw unsupported("\\" + (char) c);
                }
                yield CharacterSet.of(c);
            }
        };
    }

    private int unicode() throws Unusable {
        if (take('{')) {
            int end = pattern.indexOf('}', at);
            if (end < 0 || end - at > 6) {
                throw malformed("has a \\u{ without its }");
            }
            int code = hex(end - at);
            at = end + 1;
            return code;
        }
        int code = hex(4);
        if (Character.isHighSurrogate((char) code) && pattern.startsWith("\\u", at)) {
            at += 2;
            int low = hex(4);
            if (!Character.isLowSurrogate((char) low)) {
                throw malformed("has half of a character");
            }
            return Character.toCodePoint((char) code, (char) low);
        }
        return code;
    }

    private int hex(int digits) throws Unusable {
        int code = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < pattern.length() ? Character.digit(pattern.charAt(at++), 16) : -1;
            if (digit < 0) {
                throw malformed("has an incomplete escape");
            }
            code = code * 16 + digit;
        }
        if (digits == 0 || code > Character.MAX_CODE_POINT || code >= 0xd800 && code <= 0xdfff && digits != 4) {
            throw malformed("has an escape for no character");
        }
        return code;
    }

    private int next() throws Unusable {
        if (at == pattern.length()) {
            throw malformed("ends too early");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    private char peek() {
        return at < pattern.length() ? pattern.charAt(at) : '\0';
    }

    private boolean take(char c) {
        if (at < pattern.length() && pattern.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private static Unusable malformed(String what) {
        return new Unusable("is not a regular expression: it " + what, false);
    }

    private static Unusable unsupported(String what) {
        return new Unusable(
                "uses " + what + ", which is not supported. Leave it out and check the answer yourself", false);
    }

    private static Unusable tooComplex() {
        return new Unusable("repeats too much. Use fewer or smaller repetitions", true);
    }
}
