package dev.luq.engine;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Keeps text that a user wrote from becoming a control token. Wherever the text of a special token begins, a random
 * break is put behind its first character before the chat template is applied; the templated prompt is split at the
 * breaks again, and the tokenizer, given the pieces one by one, sees no special token in them.
 */
final class SpecialTextGuard {

    private static final SecureRandom RANDOM = new SecureRandom();

    private final Map<Integer, List<String>> specialsByFirst;

    /** @param specials texts of the vocabulary's special tokens; blank ones and single characters cannot be abused */
    SpecialTextGuard(List<String> specials) {
        this.specialsByFirst = specials.stream()
                .filter(text -> text.codePointCount(0, text.length()) > 1 && !text.isBlank())
                .collect(Collectors.groupingBy(text -> text.codePointAt(0)));
    }

    /** 128 random bits that no text contains by chance or design. */
    static String nonce() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return "luq" + HexFormat.of().formatHex(bytes);
    }

    /** @param following text that the template may put directly behind this text @param breakMark see {@link #nonce} */
    String guard(String text, String following, String breakMark) {
        String whole = text + following;
        StringBuilder guarded = null;
        int copied = 0;
        for (int i = 0; i < text.length(); i++) {
            for (String special : specialsByFirst.getOrDefault(whole.codePointAt(i), List.of())) {
                if (whole.startsWith(special, i)) {
                    guarded = guarded == null ? new StringBuilder() : guarded;
                    int behindFirst = i + Character.charCount(whole.codePointAt(i));
                    guarded.append(text, copied, behindFirst).append(breakMark);
                    copied = behindFirst;
                    break;
                }
            }
        }
        return guarded == null ? text : guarded.append(text, copied, text.length()).toString();
    }
}
