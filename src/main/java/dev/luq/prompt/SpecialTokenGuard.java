package dev.luq.prompt;

import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Keeps text that a user wrote from becoming a control token. Wherever the text of a special token begins, a random
 * break is put behind its first character before the chat template is applied; the templated prompt is split at the
 * breaks again, and the tokenizer, given the pieces one by one, sees no special token in them.
 */
final class SpecialTokenGuard {

    private static final SecureRandom RANDOM = new SecureRandom();

    /** What may follow after some characters of a special text. */
    private static final class Node {
        final Map<Character, Node> next = new HashMap<>(2);
        boolean end;
    }

    private final Node start = new Node();
    private final int longest;

    /** @param specials texts of the vocabulary's special tokens; blank ones and single characters cannot be abused */
    SpecialTokenGuard(List<String> specials) {
        int most = 0;
        for (String text : specials) {
            if (text.codePointCount(0, text.length()) > 1 && !text.isBlank()) {
                Node node = start;
                for (int i = 0; i < text.length(); i++) {
                    node = node.next.computeIfAbsent(text.charAt(i), c -> new Node());
                }
                node.end = true;
                most = Math.max(most, text.length());
            }
        }
        longest = most;
    }

    /** 128 random bits that no text contains by chance or design. */
    static String nonce() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return "luq" + HexFormat.of().formatHex(bytes);
    }

    /** Characters of the longest special text: so much of what follows a text matters. */
    int longest() {
        return longest;
    }

    /**
     * @param following text that the template may put directly behind this text
     * @param breakMark see {@link #nonce}
     */
    String guard(String text, String following, String breakMark) {
        String whole = text + following;
        StringBuilder guarded = null;
        int copied = 0;
        for (int i = 0; i < text.length(); i++) {
            if (begins(whole, i)) {
                guarded = guarded == null ? new StringBuilder() : guarded;
                int behindFirst = i + Character.charCount(whole.codePointAt(i));
                guarded.append(text, copied, behindFirst).append(breakMark);
                copied = behindFirst;
            }
        }
        return guarded == null
                ? text
                : guarded.append(text, copied, text.length()).toString();
    }

    /** Whether a special text begins here. */
    private boolean begins(String text, int from) {
        Node node = start;
        for (int i = from; i < text.length() && node != null; i++) {
            node = node.next.get(text.charAt(i));
            if (node != null && node.end) {
                return true;
            }
        }
        return false;
    }
}
