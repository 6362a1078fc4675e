package dev.luq.admin;

import static dev.luq.Until.until;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.serving.ModelWorker;
import dev.luq.serving.ModelWorkers;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Base64;
import org.junit.jupiter.api.Test;

/** With more than one key, what one asked shows in no answer to another. */
@Integration
@QuarkusTest
@TestProfile(AdminProfile.Scripted.class)
class SeparateCachesTest {

    @Inject
    ModelWorkers workers;

    @Test
    void promptsAndPicturesOfOthersAreNotThere() throws IOException {
        ModelWorker tiny = workers.find("tiny").orElseThrow();
        until("ready", () -> tiny.state() == ModelWorker.State.READY);
        long encoded = tiny.totals().imagesEncoded();
        // How prompts begin may be there from what the same key asked before.
        int beginning = 8;
        assertTrue(cachedTokens(AdminProfile.user(), "") < beginning);
        int own = cachedTokens(AdminProfile.user(), "");
        assertTrue(own > 20, "one's own is: " + own);
        assertTrue(cachedTokens(AdminProfile.admin(), "") < beginning);
        assertEquals(0, cachedTokens(AdminProfile.user(), ",\"cache_salt\":\"other\""));
        assertEquals(own, cachedTokens(AdminProfile.admin(), ""));
        until("three pictures encoded", () -> tiny.totals().imagesEncoded() == encoded + 3);
    }

    private static int cachedTokens(RequestSpecification who, String fields) throws IOException {
        String picture =
                Base64.getEncoder().encodeToString(Files.readAllBytes(AdminProfile.MODELS.resolve("odd-100x100.png")));
        return who.contentType("application/json")
                .body("{\"model\":\"tiny\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\","
                        + "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,"
                        + picture
                        + "\"}},{\"type\":\"text\",\"text\":\"What is that?\"}]}]" + fields + "}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(200)
                .extract()
                .path("usage.prompt_tokens_details.cached_tokens");
    }
}
