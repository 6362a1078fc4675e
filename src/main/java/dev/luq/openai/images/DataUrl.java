package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.InvalidImage;
import dev.luq.http.errors.ApiException.InvalidImage.Fault;
import java.util.Arrays;
import java.util.Locale;

/**
 * {@code data:[media type];base64,data} (RFC 2397), with line breaks in the data as RFC 2045 has them or without. The
 * media type is ignored: the bytes tell what they are. Large ones are not copied on their way.
 */
final class DataUrl {

    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";
    // A header longer than this is none; it bounds the search for the comma.
    private static final int LONGEST_HEADER = 512;

    private static final byte FOREIGN = -1;
    private static final byte WHITE_SPACE = -2;
    private static final byte PADDING = -3;
    /** The value of each character. */
    private static final byte[] VALUES = new byte[128];

    static {
        Arrays.fill(VALUES, FOREIGN);
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (int i = 0; i < alphabet.length(); i++) {
            VALUES[alphabet.charAt(i)] = (byte) i;
        }
        for (char white : new char[] {' ', '\t', '\r', '\n'}) {
            VALUES[white] = WHITE_SPACE;
        }
        VALUES['='] = PADDING;
    }

    private final String url;
    private final int from;
    private final int length;

    private DataUrl(String url, int from, int length) {
        this.url = url;
        this.from = from;
        this.length = length;
    }

    static boolean is(String url) {
        return url.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    }

    /**
     * Checks a URL without decoding it.
     *
     * @param url of this scheme
     * @param maxBytes of the decoded data
     * @param param the field it came from, for the message
     * @throws InvalidImage naming what is wrong
     */
    static DataUrl of(String url, int maxBytes, String param) {
        int comma = url.substring(0, Math.min(url.length(), LONGEST_HEADER)).indexOf(',');
        if (comma < 0 || !url.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(BASE64)) {
            throw new InvalidImage(
                    Fault.INVALID_IMAGE_URL, param, "The data: URL must be base64: data:image/png;base64,...");
        }
        int length = decodedLength(url, comma + 1, param);
        if (length == 0) {
            throw new InvalidImage(Fault.INVALID_IMAGE, param, "The image has no bytes");
        }
        if (length > maxBytes) {
            throw new InvalidImage(Fault.IMAGE_TOO_LARGE, param, "The image is larger than " + maxBytes + " bytes");
        }
        return new DataUrl(url, comma + 1, length);
    }

    /** Bytes of the data. */
    int length() {
        return length;
    }

    byte[] decode() {
        byte[] data = new byte[length];
        int group = 0;
        int bits = 0;
        int filled = 0;
        for (int i = from; filled < length; i++) {
            int value = VALUES[url.charAt(i)];
            if (value >= 0) {
                group = group << 6 | value;
                bits += 6;
                if (bits >= 8) {
                    bits -= 8;
                    data[filled++] = (byte) (group >> bits);
                }
            }
        }
        return data;
    }

    private static int decodedLength(String url, int from, String param) {
        int characters = 0;
        int padding = 0;
        for (int i = from; i < url.length(); i++) {
            char c = url.charAt(i);
            byte value = c < VALUES.length ? VALUES[c] : FOREIGN;
            if (value == FOREIGN) {
                throw foreign(c, i - from, param);
            }
            if (value == PADDING) {
                padding++;
            } else if (value >= 0) {
                if (padding > 0) {
                    throw incomplete(param);
                }
                characters++;
            }
        }
        int rest = characters % 4;
        // Padding may be left out, but not be wrong.
        if (rest == 1 || padding > 0 && (characters + padding) % 4 != 0 || padding > 2) {
            throw incomplete(param);
        }
        return characters / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    }

    private static InvalidImage incomplete(String param) {
        return new InvalidImage(
                Fault.INVALID_BASE64,
                param,
                "The base64 text ends in the middle of a byte or continues after its padding");
    }

    private static InvalidImage foreign(char c, int position, String param) {
        String where = " at position " + position + " of the base64 text";
        return new InvalidImage(
                Fault.INVALID_BASE64,
                param,
                c == '-' || c == '_'
                        ? "There is a character of the URL-safe alphabet" + where + ": use standard base64"
                        : "There is a character that base64 does not have" + where);
    }
}
