package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.image.Image;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;

/** Needs a server: LUQ_URL, LUQ_KEY and LUQ_MODEL say which; LUQ_PICTURE names a PNG. */
@QuarkusTest
class ViewerTest {

    private static final Path PICTURE =
            Path.of(System.getenv().getOrDefault("LUQ_PICTURE", "../../../models/demo/examples/describe.png"));

    @Inject
    Viewer viewer;

    @TestHTTPResource("/descriptions")
    URI descriptions;

    @Test
    void picturesAreDescribed() throws IOException {
        assertFalse(viewer.describe(picture()).isBlank());
    }

    @Test
    void questionsAboutPicturesAreAnswered() throws IOException {
        assertFalse(viewer.answer(picture(), "What is at the bottom?").isBlank());
    }

    @Test
    void answersAreObjects() throws IOException {
        assertTrue(viewer.count(picture(), "circles").number() > Integer.MIN_VALUE);
    }

    @Test
    void picturesAreDescribedOverHttp() throws Exception {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(descriptions)
                                .header("Content-Type", "image/png")
                                .POST(HttpRequest.BodyPublishers.ofFile(PICTURE))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertFalse(response.body().isBlank());
    }

    private static Image picture() throws IOException {
        return Image.builder()
                .base64Data(Base64.getEncoder().encodeToString(Files.readAllBytes(PICTURE)))
                .mimeType("image/png")
                .build();
    }
}
