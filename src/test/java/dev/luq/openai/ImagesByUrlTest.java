package dev.luq.openai;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpServer;
import dev.luq.Integration;
import dev.luq.openai.images.TestImages;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

/** Requests that name their pictures, to a server where that is enabled. */
@Integration
@QuarkusTest
@TestProfile(ImagesByUrlTest.Enabled.class)
class ImagesByUrlTest extends ScriptedApi {

    public static class Enabled extends ScriptedProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                Map<String, String> config = new HashMap<>(super.getConfigOverrides());
                config.put("luq.images.url-hosts", "http://127.0.0.1:" + free.getLocalPort());
                config.put(
                        "luq.images.media-dir",
                        Files.createDirectories(Path.of("target/media-test")).toString());
                return config;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final byte[] PICTURE =
            TestImages.encode(TestImages.redAndBlue(40, 30, BufferedImage.TYPE_INT_RGB), "png");

    @Test
    void aPictureMayComeByAnyOfTheSchemes() throws IOException {
        URI host = URI.create(ConfigProvider.getConfig().getValue("luq.images.url-hosts", String.class));
        HttpServer pictures =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), host.getPort()), 0);
        pictures.createContext("/a.png", exchange -> {
            // what it says of the type is nobody's business
            exchange.getResponseHeaders().set("Content-Type", "text/html");
            exchange.sendResponseHeaders(200, PICTURE.length);
            exchange.getResponseBody().write(PICTURE);
            exchange.close();
        });
        pictures.start();
        Files.write(Path.of("target/media-test/b.png"), PICTURE);
        workers.script = request -> ScriptedWorkers.text(request, "seen");
        try {
            chatOf(image(host + "/a.png"), image("file://b.png"), image(TestImages.dataUrl(PICTURE)))
                    .statusCode(200)
                    .body("choices[0].message.content", equalTo("seen"));
            assertEquals(
                    1,
                    workers.requests.get(0).images().stream()
                            .map(sent -> sent.sha256())
                            .distinct()
                            .count(),
                    "the same picture three times");
            assertError(chatOf(image(TestImages.dataUrl(PICTURE)), image(host + "/none.png")), 400, "invalid_image_url")
                    .body("error.param", equalTo("messages[0].content[1].image_url"))
                    .body("error.message", containsString("404"));
        } finally {
            pictures.stop(0);
        }
    }

    @Test
    void whatIsNotNamedIsRefused() {
        for (String url :
                List.of("http://127.0.0.1:1/a.png", "https://example.org/a.png", "file:///etc/passwd", "ftp://a/b")) {
            assertError(chatOf(image(url)), 400, "invalid_image_url");
        }
    }

    private static String image(String url) {
        return "{\"type\":\"image_url\",\"image_url\":\"" + url + "\"}";
    }
}
