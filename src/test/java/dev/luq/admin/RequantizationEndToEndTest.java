package dev.luq.admin;

import static dev.luq.Until.until;
import static dev.luq.admin.AdminProfile.admin;
import static dev.luq.admin.AdminProfile.json;
import static dev.luq.admin.AdminProfile.user;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.notNullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.datasets.TestArchives;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** From an uploaded set to a served variant, with the real process of a job, over HTTP alone. */
@Integration
@QuarkusTest
@TestProfile(AdminProfile.class)
class RequantizationEndToEndTest {

    private static final String JOBS = "/admin/v1/requantizations";

    @Test
    void aModelIsRequantizedKilledResumedAndServed() throws IOException {
        upload("calibration", 15);
        upload("evaluation", 6);
        String id = json("{\"model\":\"tiny\",\"budget\":\"90%\",\"calibration_set\":\"calibration\",\"low\":\"IQ3_S\","
                        + "\"evaluation_set\":\"evaluation\",\"method\":\"error\",\"variant\":\"tiny-90\",\"activate\":true}")
                .post(JOBS)
                .then()
                .statusCode(202)
                .extract()
                .path("id");
        await("the job to begin", id, job -> !job.get("phase").isNull());
        List<ProcessHandle> processes = Children.with("JobMain", id);
        assertEquals(1, processes.size());
        processes.get(0).destroyForcibly();
        JsonNode job = await(
                "the result to be activated",
                id,
                j -> !j.get("activation").get("state").asText().equals("pending")
                        || j.get("state").asText().equals("failed"));
        assertEquals("succeeded", job.get("state").asText(), job.toString());
        assertEquals("done", job.at("/activation/state").asText(), job.toString());
        user().get("/v1/models/tiny")
                .then()
                .statusCode(200)
                .body("luq.variant", equalTo("tiny-90"))
                .body("luq.budget", equalTo("90%"))
                .body("luq.quality", hasKey("all"))
                .body("luq.low_layers", notNullValue());
        user().contentType("application/json")
                .body("{\"model\":\"tiny\",\"max_tokens\":2,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(200);
        admin().get(JOBS + "/" + id + "/report").then().statusCode(200).contentType("application/json");
        admin().accept("text/html;q=0.9, application/json;q=0.5")
                .get(JOBS + "/" + id + "/report")
                .then()
                .statusCode(200)
                .contentType("text/html; charset=utf-8")
                .header("Vary", "Accept")
                .header("Content-Security-Policy", containsString("default-src 'none'"));
        assertTrue(Files.exists(
                AdminProfile.data().resolve("store").resolve("manifests").resolve("tiny-90.json")));

        json("{\"model\":\"tiny\",\"budget\":\"1%\",\"calibration_set\":\"calibration\",\"method\":\"error\","
                        + "\"low\":\"IQ3_S\",\"evaluation_set\":\"evaluation\"}")
                .post(JOBS)
                .then()
                .statusCode(422)
                .body("error.code", equalTo("budget_impossible"))
                .body("error.message", containsString("smallest possible"));
    }

    private static void upload(String name, int examples) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("a.png", Files.readAllBytes(AdminProfile.MODELS.resolve("square-70x70.png")));
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < examples; i++) {
            lines.append("{\"image\": ")
                    .append(i % 3 == 2 ? "null" : "\"a.png\"")
                    .append(", \"question\": \"Number ")
                    .append(i)
                    .append("?\", \"answer\": \"")
                    .append("yes no maybe".split(" ")[i % 3])
                    .append("\"}\n");
        }
        files.put("set.jsonl", lines.toString().getBytes(UTF_8));
        admin().contentType("application/zip")
                .queryParam("name", name)
                .body(TestArchives.zip(files))
                .post("/admin/v1/calibration-sets")
                .then()
                .statusCode(201);
    }

    private static JsonNode await(String what, String id, Predicate<JsonNode> condition) {
        JsonNode[] job = {null};
        until(what, Duration.ofMinutes(5), () -> {
            job[0] = admin().get(JOBS + "/" + id)
                    .then()
                    .statusCode(200)
                    .extract()
                    .as(JsonNode.class);
            if (condition.test(job[0])) {
                return true;
            }
            assertNotEquals("failed", job[0].get("state").asText(), job[0]::toString);
            return false;
        });
        return job[0];
    }
}
