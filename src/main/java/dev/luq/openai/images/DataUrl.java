package dev.luq.openai.images;

import dev.luq.openai.errors.ApiException.InvalidImage;
import dev.luq.openai.errors.ApiException.InvalidImage.Fault;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/** {@code data:[media type];base64,data} (RFC 2397). The media type is ignored: the bytes tell what they are. */
final class DataUrl {

    private static final String SCHEME = "data:";
    private static final String BASE64 = ";base64";
    // A header longer than this is none; it bounds the search for the comma.
    private static final int LONGEST_HEADER = 512;

    private DataUrl() {
    }

    /**
     * @param maxBytes of the decoded data
     * @throws InvalidImage naming what is wrong
     */
    static byte[] decode(String url, int maxBytes, String param) {
        if (!url.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            throw new InvalidImage(Fault.INVALID_IMAGE_URL, param,
                    "Only data: URLs are enabled: send the image as data:image/png;base64,...");
        }
        int comma = url.substring(0, Math.min(url.length(), LONGEST_HEADER)).indexOf(',');
        if (comma < 0 || !url.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(BASE64)) {
            throw new InvalidImage(Fault.INVALID_IMAGE_URL, param,
                    "The data: URL must be base64: data:image/png;base64,...");
        }
        long encoded = url.length() - comma - 1L;
        if (encoded == 0) {
            throw new InvalidImage(Fault.INVALID_IMAGE, param, "The image has no bytes");
        }
        if (encoded / 4 * 3 > maxBytes + 3L) {
            throw new InvalidImage(Fault.IMAGE_TOO_LARGE, param, "The image is larger than " + maxBytes + " bytes");
        }
        rejectForeignCharacters(url, comma + 1, param);
        try {
            byte[] data = Base64.getDecoder().decode(url.substring(comma + 1).getBytes(StandardCharsets.ISO_8859_1));
            if (data.length > maxBytes) {
                throw new InvalidImage(Fault.IMAGE_TOO_LARGE, param,
                        "The image is larger than " + maxBytes + " bytes");
            }
            return data;
        } catch (IllegalArgumentException e) {
            throw new InvalidImage(Fault.INVALID_BASE64, param,
                    "The base64 text ends in the middle of a byte or continues after its padding");
        }
    }

    private static void rejectForeignCharacters(String url, int from, String param) {
        for (int i = from; i < url.length(); i++) {
            char c = url.charAt(i);
            boolean alphabet = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
                    || c == '+' || c == '/' || c == '=';
            if (alphabet) {
                continue;
            }
            String where = " at position " + (i - from) + " of the base64 text";
            if (Character.isWhitespace(c)) {
                throw new InvalidImage(Fault.INVALID_BASE64, param,
                        "There is white space" + where + ": encode without line breaks (base64 -w0)");
            }
            if (c == '-' || c == '_') {
                throw new InvalidImage(Fault.INVALID_BASE64, param,
                        "There is a character of the URL-safe alphabet" + where + ": use standard base64");
            }
            throw new InvalidImage(Fault.INVALID_BASE64, param, "There is a character that base64 does not have" + where);
        }
    }
}
