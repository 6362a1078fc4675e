package dev.luq.openai.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.http.errors.ApiException.InvalidImage;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/** A data URL is refused, or decoded within the limit; what is encoded comes back. */
public final class DataUrlFuzz implements FuzzTarget {

    private static final int MOST_BYTES = 1024;

    @Override
    public String name() {
        return "data-url";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                        "data:image/png;base64,iVBORw0KGgo=",
                        "data:;base64,QQ==",
                        "DATA:text/plain;x=y;BASE64,QUJD",
                        "data:image/png;base64,QU\r\nJD",
                        "http://127.0.0.1/a.png")
                .stream()
                .map(url -> url.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) {
        try {
            byte[] data = DataUrl.of(new String(input, StandardCharsets.UTF_8), MOST_BYTES, "image_url")
                    .decode();
            assertTrue(data.length > 0 && data.length <= MOST_BYTES, data.length + " bytes");
        } catch (InvalidImage refused) {
            // as it may be
        }
        if (input.length > 0 && input.length <= MOST_BYTES) {
            for (Base64.Encoder encoder : List.of(
                    Base64.getEncoder(),
                    Base64.getMimeEncoder(),
                    Base64.getEncoder().withoutPadding())) {
                String url = "data:image/png;base64," + encoder.encodeToString(input);
                assertArrayEquals(
                        input, DataUrl.of(url, MOST_BYTES, "image_url").decode());
            }
        }
    }
}
