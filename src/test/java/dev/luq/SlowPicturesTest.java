package dev.luq;

import static dev.luq.Until.until;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.openai.images.TestImages;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pictures whose encoding takes a second or several, by a real worker: the demo model's with 2,025 tokens. */
@Integration
@QuarkusTest
@TestProfile(SlowPicturesTest.LargePictures.class)
class SlowPicturesTest {

    public static class LargePictures implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "luq.models.demo.model",
                    "models/demo/luq-demo-F16.gguf",
                    "luq.models.demo.mmproj",
                    "models/demo/mmproj-luq-demo-F16.gguf",
                    "luq.models.demo.default",
                    "true",
                    "luq.worker.image-max-tokens",
                    "2048",
                    "luq.api.stream-keep-alive",
                    "10ms",
                    "quarkus.shutdown.timeout",
                    "0S",
                    "luq.worker.drain-time",
                    "0S");
        }
    }

    private static final String LARGE = picture(1260);
    /** One more that no other test has had encoded. */
    private static final String LARGE_TOO = picture(1232);

    private static final String SMALL = picture(112);

    @Inject
    ModelWorkers workers;

    @TestHTTPResource("/v1/chat/completions")
    URI chat;

    private ModelWorker worker;

    private static String picture(int side) {
        return "{\"type\":\"image_url\",\"image_url\":{\"url\":\"" + TestImages.png(side, side) + "\"}}";
    }

    @BeforeEach
    void waitUntilReady() {
        worker = workers.find("demo").orElseThrow();
        until("the model to be ready", () -> worker.state() == ModelWorker.State.READY);
    }

    private HttpResponse<InputStream> ask(String picture, boolean stream) throws Exception {
        String body = "{\"stream\":" + stream + ",\"max_tokens\":4,\"messages\":[{\"role\":\"user\",\"content\":["
                + picture + ",{\"type\":\"text\",\"text\":\"What colours are there?\"}]}]}";
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .build()
                .send(
                        HttpRequest.newBuilder(chat)
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream());
    }

    @Test
    void itsStreamSaysHowFarItIs() throws Exception {
        HttpResponse<InputStream> response = ask(LARGE, true);
        assertEquals(200, response.statusCode());
        List<String> comments = new ArrayList<>();
        List<String> events = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            lines.lines().filter(line -> !line.isEmpty()).forEach(line -> (line.startsWith(":") ? comments : events)
                    .add(line));
        }
        assertTrue(comments.size() > 1, comments::toString);
        for (String comment : comments) {
            assertTrue(
                    comment.matches(": (queued|encoding \\d{1,3} %|prompt \\d{1,3} %|generating)"), comments::toString);
        }
        List<Integer> encoding = comments.stream()
                .filter(comment -> comment.startsWith(": encoding"))
                .map(comment -> Integer.valueOf(comment.replaceAll("\\D", "")))
                .toList();
        assertEquals(encoding.stream().sorted().toList(), encoding);
        assertEquals("data: [DONE]", events.get(events.size() - 1));
        assertTrue(events.stream().allMatch(event -> event.startsWith("data: ")), events::toString);
    }

    @Test
    void aClientThatLeavesFreesTheEncoder() throws Exception {
        long before = worker.totals().imagesEncoded();
        HttpResponse<InputStream> response = ask(LARGE_TOO, true);
        assertEquals(':', response.body().read(), "nothing but a comment came");
        response.body().close();
        assertEquals(200, ask(SMALL, false).statusCode());
        until("the figures of the small picture", () -> worker.totals().imagesEncoded() > before);
        assertEquals(before + 1, worker.totals().imagesEncoded(), "the large one was not encoded to its end");
        until("nothing to be in flight", () -> worker.inFlight() == 0);
    }
}
