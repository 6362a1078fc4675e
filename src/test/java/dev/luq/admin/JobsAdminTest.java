package dev.luq.admin;

import static dev.luq.Until.until;
import static dev.luq.admin.AdminProfile.admin;
import static dev.luq.admin.AdminProfile.json;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.hamcrest.Matchers.closeTo;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.everyItem;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.Integration;
import dev.luq.datasets.TestArchives;
import dev.luq.machine.Kernels;
import dev.luq.requant.spec.RequantizationSpec;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calibration sets, plans and re-quantizations over HTTP. The processes of jobs follow a script. */
@Integration
@QuarkusTest
@TestProfile(AdminProfile.Scripted.class)
class JobsAdminTest {

    private static final String JOBS = "/admin/v1/requantizations";
    private static final String SETS = "/admin/v1/calibration-sets";

    @TestHTTPResource
    URI server;

    @BeforeEach
    void aSetIsThere() {
        upload("shapes", TestArchives.zip(TestArchives.set())).then().statusCode(201);
    }

    // ---- calibration sets ------------------------------------------------------------------------------------------

    @Test
    void aSetIsUploadedListedAndDeleted() {
        upload("more", TestArchives.zip(TestArchives.set()))
                .then()
                .statusCode(201)
                .header("Location", endsWith(SETS + "/more"))
                .body("name", equalTo("more"))
                .body("origin", equalTo("uploaded"))
                .body("examples", equalTo(2))
                .body("with_images", equalTo(1))
                .body("categories.shape", equalTo(1))
                .body("digest.length()", equalTo(64));
        admin().get(SETS).then().statusCode(200).body("data.name", hasItem("more"));
        admin().get(SETS + "/more").then().statusCode(200).body("examples", equalTo(2));
        admin().delete(SETS + "/more").then().statusCode(204);
        admin().get(SETS + "/more").then().statusCode(404).body("error.code", equalTo("not_found"));
    }

    @Test
    void aFolderBelowTheRootIsNamed() throws IOException {
        Path folder = writeToRoot("mine");
        json("{\"name\":\"named\",\"folder\":\"mine\"}")
                .post(SETS)
                .then()
                .statusCode(201)
                .body("origin", equalTo("folder"));
        json("{\"name\":\"bad\",\"folder\":\"../calibration\"}")
                .post(SETS)
                .then()
                .statusCode(400)
                .body("error.code", equalTo("invalid_calibration_set"))
                .body("error.message", not(containsString(AdminProfile.data().toString())));
        json("{\"name\":\"bad\"}").post(SETS).then().statusCode(400).body("error.param", equalTo("folder"));
        admin().delete(SETS + "/named").then().statusCode(204);
        assertTrue(Files.exists(folder.resolve("set.jsonl")));
    }

    @Test
    void aFolderOfTheRootIsASetThatNobodyNeedName() throws IOException {
        Path folder = writeToRoot("lying");
        admin().get(SETS)
                .then()
                .statusCode(200)
                .body("data.find { it.name == 'lying' }.origin", equalTo("folder"))
                .body("data.find { it.name == 'lying' }.examples", nullValue())
                .body("data.find { it.name == 'shapes' }.examples", equalTo(2));
        admin().get(SETS + "/lying")
                .then()
                .statusCode(200)
                .body("origin", equalTo("folder"))
                .body("examples", equalTo(2))
                .body("created", notNullValue())
                .body("digest.length()", equalTo(64));
        admin().delete(SETS + "/lying").then().statusCode(409).body("error.message", containsString("luq.sets.root"));
        String id = json(request("quick-10", "").replace("\"shapes\"", "\"lying\""))
                .post(JOBS)
                .then()
                .statusCode(202)
                .extract()
                .path("id");
        assertEquals(
                folder.toRealPath().toString(),
                RequantizationSpec.read(folder(id)).sets().calibration());
        assertEquals(
                folder.toRealPath().toString(),
                RequantizationSpec.read(folder(id)).sets().evaluation());
        Files.writeString(folder.resolve("more.jsonl"), "{\"question\": 1}");
        json(request("quick-11", "").replace("\"calibration_set\":\"shapes\"", "\"calibration_set\":\"lying\""))
                .post(JOBS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("calibration_set"))
                .body("error.message", containsString("more.jsonl:1"))
                .body("error.message", not(containsString(AdminProfile.data().toString())));
    }

    @Test
    void archivesThatAreNoSetsAreRefused() {
        Map<String, byte[]> evil = TestArchives.set();
        evil.put("../evil.png", TestArchives.picture());
        upload("evil", TestArchives.zip(evil))
                .then()
                .statusCode(400)
                .body("error.code", equalTo("invalid_calibration_set"))
                .body("error.message", containsString("evil.png"));
        upload("evil", "no zip".getBytes(UTF_8)).then().statusCode(400);
        upload("../evil", TestArchives.zip(TestArchives.set())).then().statusCode(400);
        admin().contentType("application/zip")
                .body(TestArchives.zip(TestArchives.set()))
                .post(SETS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("name"));
        upload("large", new byte[200_001]).then().statusCode(413).body("error.code", equalTo("request_too_large"));
        upload("medium", new byte[150_000])
                .then()
                .statusCode(400)
                .body("error.message", containsString("no zip archive"));
        Map<String, byte[]> other = TestArchives.set();
        other.put("x.jsonl", "{\"question\":\"x\",\"answer\":\"y\"}".getBytes(UTF_8));
        upload("shapes", TestArchives.zip(other)).then().statusCode(409);
    }

    @Test
    void anUploadThatDoesNotEndHoldsItsNameAndLeavesNothing() throws IOException {
        List<Socket> unfinished = new ArrayList<>();
        try {
            for (int i = 0; i < 4; i++) {
                unfinished.add(beginUpload("half-" + i));
            }
            until("they arrive", () -> incoming() == 4);
            upload("fifth", TestArchives.zip(TestArchives.set()))
                    .then()
                    .statusCode(429)
                    .header("Retry-After", notNullValue());
            unfinished.remove(3).close();
            until("one has left", () -> incoming() == 3);
            upload("half-0", TestArchives.zip(TestArchives.set()))
                    .then()
                    .statusCode(409)
                    .body("error.message", containsString("half-0"));
            json("{\"model\":\"tiny\",\"budget\":\"95%\"}")
                    .post("/admin/v1/plans")
                    .then()
                    .statusCode(200);
        } finally {
            for (Socket each : unfinished) {
                each.close();
            }
        }
        until("nothing is left", () -> incoming() == 0);
        upload("half-0", TestArchives.zip(TestArchives.set())).then().statusCode(201);
        admin().delete(SETS + "/half-0").then().statusCode(204);
    }

    private Socket beginUpload(String name) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getPort());
        socket.getOutputStream()
                .write(("POST " + SETS + "?name=" + name + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                + AdminProfile.ADMIN
                                + "\r\nContent-Type: application/zip\r\nContent-Length: 1000\r\n\r\nPK")
                        .getBytes(UTF_8));
        return socket;
    }

    private static long incoming() {
        try (Stream<Path> sets = Files.list(AdminProfile.data().resolve("calibration"))) {
            return sets.filter(set -> set.getFileName().toString().startsWith(".incoming"))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- plans -----------------------------------------------------------------------------------------------------

    @Test
    void aPlanSaysWhatEveryNumberOfLowLayersTakes() {
        json("{\"model\":\"tiny\",\"budget\":\"95%\"}")
                .post("/admin/v1/plans")
                .then()
                .statusCode(200)
                .body("low", equalTo("IQ1_M"))
                .body("candidates", hasSize(greaterThan(2)))
                .body("candidates.low_layers[0]", equalTo(0))
                .body("candidates[0].weight_bytes", greaterThan(0))
                .body("candidates[0].ratio_to_q4_k_m", notNullValue())
                .body("candidates.memory", everyItem(hasKey("kv_cache")))
                .body("context_size", equalTo(512))
                .body("chosen", notNullValue());
        json("{\"model\":\"tiny\",\"context_size\":1024,\"mmproj\":\"Q8_0\"}")
                .post("/admin/v1/plans")
                .then()
                .statusCode(200)
                .body("chosen", nullValue())
                .body("context_size", equalTo(1024))
                .body("mmproj", equalTo("Q8_0"));
    }

    @Test
    void aPlanTakesTheOrderThatWasMeasuredLast() throws IOException {
        String plan = "{\"model\":\"tiny\"}";
        json(plan)
                .post("/admin/v1/plans")
                .then()
                .statusCode(200)
                .body("ranking", equalTo("depth"))
                .body("order", contains(0, 1));
        String id = create("quick-11", "");
        until("done", () -> "succeeded".equals(job(id).get("state").asText()));
        Files.writeString(
                folder(id).resolve("report.json"),
                """
                {"version": 1, "rankings": [
                    {"method": "ENTROPY", "order": [0, 1], "scores": [1, 2], "provenance": {}},
                    {"method": "KLD", "order": [1, 0], "scores": [2, 1], "provenance": {"seed": 1}},
                    {"method": "KLD", "order": [1, 2, 0], "scores": [3, 1, 2], "provenance": {}}]}""");
        json(plan)
                .post("/admin/v1/plans")
                .then()
                .statusCode(200)
                .body("ranking", equalTo("kld"))
                .body("order", contains(1, 0));
        json("{\"model\":\"tiny\",\"order\":[0,1]}")
                .post("/admin/v1/plans")
                .then()
                .statusCode(200)
                .body("ranking", equalTo("given"))
                .body("order", contains(0, 1));
        Files.writeString(folder(id).resolve("report.json"), "{");
        json(plan).post("/admin/v1/plans").then().statusCode(200).body("ranking", equalTo("depth"));
        admin().delete(JOBS + "/" + id).then().statusCode(204);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"budget\":\"60%\"}                                        | 400 | model",
                "{\"model\":\"none\"}                                        | 404 |",
                "{\"model\":\"tiny\",\"budget\":\"lots\"}                    | 400 | budget",
                "{\"model\":\"tiny\",\"budget\":\"kld:0.1\"}                 | 400 | budget",
                "{\"model\":\"tiny\",\"budget\":\"1B\"}                      | 422 | budget",
                "{\"model\":\"tiny\",\"low\":\"Q5_X\"}                       | 400 | low",
                "{\"model\":\"tiny\",\"order\":[0,0]}                        | 400 | order",
                "{\"model\":\"tiny\",\"context_size\":0}                     | 400 | context_size",
                "{\"model\":\"tiny\",\"low\":\"Q4_K_M\",\"high\":\"IQ1_M\"}  | 400 |"
            })
    void whatCannotBePlannedIsSaid(String body, int status, String param) {
        json(body).post("/admin/v1/plans").then().statusCode(status).body("error.param", equalTo(param));
    }

    // ---- re-quantizations ------------------------------------------------------------------------------------------

    @Test
    void aJobIsQueuedRunsAndEnds() throws IOException {
        String id = create("patient-1", ",\"method\":\"entropy\",\"alpha\":0.5,\"seed\":7,\"mmproj\":\"Q8_0\"");
        RequantizationSpec spec = RequantizationSpec.read(folder(id));
        assertEquals(AdminProfile.MODEL.toString(), spec.source().model().get(0));
        assertEquals("entropy", spec.method().text());
        assertEquals(0.5, spec.calibration().alpha());
        assertEquals(7, spec.calibration().seed());
        assertEquals(512, spec.serving().contextSize());
        assertTrue(
                spec.sets().calibration().endsWith("shapes/files"), spec.sets().toString());
        until("quantizing", () -> "quantize".equals(job(id).get("phase").asText()));
        admin().get(JOBS + "/" + id)
                .then()
                .statusCode(200)
                .body("state", equalTo("running"))
                .body("model", equalTo("tiny"))
                .body("variant", equalTo("patient-1"))
                .body("budget", equalTo("60%"))
                .body("progress.toDouble()", closeTo(3 / 8.0, 0.2))
                .body("seconds_left", notNullValue())
                .body("phase_seconds", hasKey("calibrate"))
                .body("started", notNullValue())
                .body("queue_position", nullValue());
        String next = create("quick-2", "");
        admin().get(JOBS + "/" + next).then().body("state", equalTo("queued")).body("queue_position", equalTo(1));
        admin().get(JOBS).then().statusCode(200).body("data.id", hasItem(id)).body("data[0].id", equalTo(next));
        admin().delete(SETS + "/shapes")
                .then()
                .statusCode(409)
                .body("error.message", containsString("is used by re-quantization rq-"));
        assertTrue(metrics().contains("luq_requantize_jobs{state=\"running\"} 1.0"));
        go(id);
        until("both ended", () -> job(next).get("state").asText().equals("succeeded"));
        admin().get(JOBS + "/" + id)
                .then()
                .body("state", equalTo("succeeded"))
                .body("progress", equalTo(1.0f))
                .body("finished", notNullValue())
                .body("error", nullValue());
        assertTrue(metrics().contains("luq_requantize_phase_seconds_count{phase=\"publish\"}"));
    }

    @Test
    void aJobIsFollowedByEvents() throws Exception {
        String id = create("patient-3", "");
        until("quantizing", () -> "quantize".equals(job(id).get("phase").asText()));
        HttpResponse<InputStream> stream = events(id, null);
        assertEquals(
                "text/event-stream",
                stream.headers().firstValue("Content-Type").orElse("").split(";")[0]);
        assertEquals("no", stream.headers().firstValue("X-Accel-Buffering").orElse("yes"), "no proxy holds it back");
        List<String> ids = new ArrayList<>();
        List<JsonNode> states = new ArrayList<>();
        int comments = 0;
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("id:")) {
                    ids.add(line.substring(3).strip());
                } else if (line.startsWith("data:")) {
                    states.add(JsonMapper.builder().build().readTree(line.substring(5)));
                } else if (line.startsWith(":")) {
                    comments++;
                    if (comments == 2) {
                        go(id);
                    }
                } else if (line.startsWith("event:")) {
                    assertEquals("state", line.substring(6).strip());
                }
            }
        }
        assertTrue(comments >= 2, "a job in which nothing happens keeps its stream open");
        assertEquals("quantize", states.get(0).get("phase").asText(), "the present state comes first");
        assertEquals("succeeded", states.get(states.size() - 1).get("state").asText());
        assertEquals(ids.size(), ids.stream().distinct().count());
        assertEquals(
                "",
                new String(events(id, ids.get(ids.size() - 1)).body().readAllBytes(), UTF_8).strip(),
                "nothing new");
        assertTrue(new String(events(id, ids.get(0)).body().readAllBytes(), UTF_8).contains("succeeded"));
        assertEquals(404, events("none", null).statusCode());
    }

    @Test
    void aJobIsCancelledAndResumed() throws IOException {
        String id = create("patient-4", "");
        until("quantizing", () -> "quantize".equals(job(id).get("phase").asText()));
        admin().post(JOBS + "/" + id + "/resume").then().statusCode(409);
        admin().post(JOBS + "/" + id + "/cancel").then().statusCode(202);
        until("cancelled", () -> "cancelled".equals(job(id).get("state").asText()));
        admin().post(JOBS + "/" + id + "/cancel").then().statusCode(409).body("error.code", equalTo("conflict"));
        go(id);
        admin().post(JOBS + "/" + id + "/resume").then().statusCode(202).body("state", equalTo("queued"));
        until("done", () -> "succeeded".equals(job(id).get("state").asText()));
        admin().post(JOBS + "/none/cancel").then().statusCode(404);
    }

    @Test
    void aJobThatHasEndedIsDeleted() throws IOException {
        String id = create("patient-10", "");
        until("quantizing", () -> "quantize".equals(job(id).get("phase").asText()));
        admin().delete(JOBS + "/" + id)
                .then()
                .statusCode(409)
                .body("error.code", equalTo("conflict"))
                .body("error.message", containsString("it is running"));
        go(id);
        until("done", () -> "succeeded".equals(job(id).get("state").asText()));
        admin().delete(JOBS + "/" + id).then().statusCode(204);
        admin().get(JOBS + "/" + id).then().statusCode(404);
        admin().delete(JOBS + "/" + id).then().statusCode(404).body("error.code", equalTo("not_found"));
        admin().get(JOBS).then().body("data.id", not(hasItem(id)));
        assertFalse(Files.exists(folder(id)));
    }

    @Test
    void aFailureIsSaid() {
        String id = create("failing-5", "");
        until("failed", () -> "failed".equals(job(id).get("state").asText()));
        admin().get(JOBS + "/" + id).then().body("error", equalTo("The model cannot be ranked."));
        admin().get(JOBS + "/" + id + "/report").then().statusCode(404);
    }

    @Test
    void aResultThatCannotBeActivatedIsSaid() {
        String id = create("quick-6", ",\"activate\":true,\"swap\":\"pause\"");
        until("activation", () -> "failed"
                .equals(job(id).at("/activation/state").asText()));
        admin().get(JOBS + "/" + id)
                .then()
                .body("state", equalTo("succeeded"))
                .body("activation.swap", equalTo("pause"))
                .body("activation.error", containsString("quick-6"));
    }

    @Test
    void theSameKeyMakesOneJob() {
        String body = request("quick-7", "");
        String first = admin().contentType("application/json")
                .header("Idempotency-Key", "key-7")
                .body(body)
                .post(JOBS)
                .then()
                .statusCode(202)
                .extract()
                .path("id");
        String reordered = body.replace("{\"model\":\"tiny\",", "{ ").replace("}", ",\"model\":\"tiny\"}");
        admin().contentType("application/json")
                .header("Idempotency-Key", "key-7")
                .body(reordered)
                .post(JOBS)
                .then()
                .statusCode(202)
                .body("id", equalTo(first))
                .header("Location", endsWith(first));
        admin().contentType("application/json")
                .header("Idempotency-Key", "key-7")
                .body(request("quick-8", ""))
                .post(JOBS)
                .then()
                .statusCode(422)
                .body("error.code", equalTo("idempotency_key_reused"));
        admin().contentType("application/json")
                .header("Idempotency-Key", "a b")
                .body(body)
                .post(JOBS)
                .then()
                .statusCode(400)
                .body("error.param", equalTo("Idempotency-Key"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"model\":\"tiny\"       | \"model\":\"none\"           | 404 | model",
                "\"model\":\"tiny\",      |                              | 400 | model",
                "\"budget\":\"60%\"       | \"budget\":\"much\"          | 400 | budget",
                "\"budget\":\"60%\"       | \"budget\":60                | 400 | budget",
                "\"calibration_set\":\"shapes\" | \"calibration_set\":\"none\" | 400 | calibration_set",
                "\"evaluation_set\":\"shapes\"  | \"evaluation_set\":null      | 400 | evaluation_set",
                "\"variant\":\"quick-9\"  | \"variant\":\"low\"          | 409 | variant",
                "\"variant\":\"quick-9\"  | \"variant\":\"../x\"         | 400 |",
                "\"variant\":\"quick-9\"  | \"method\":\"luck\"          | 400 |",
                "\"variant\":\"quick-9\"  | \"alpha\":2                  | 400 |",
                "\"variant\":\"quick-9\"  | \"swap\":\"never\"           | 400 | swap",
                "\"variant\":\"quick-9\"  | \"swap\":\"auto\"            | 400 | swap",
                "\"variant\":\"quick-9\"  | \"report\":\"long\"          | 400 | report"
            })
    void whatCannotBeDoneIsRefused(String part, String other, int status, String param) {
        json(request("quick-9", "").replace(part, other == null ? "" : other))
                .post(JOBS)
                .then()
                .statusCode(status)
                .body("error.param", equalTo(param))
                .body("error.message", not(containsString(AdminProfile.data().toString())));
    }

    // ---- the description -------------------------------------------------------------------------------------------

    @Test
    void theApiIsDescribed() {
        JsonNode api = admin().accept("application/json")
                .get("/q/openapi")
                .then()
                .statusCode(200)
                .extract()
                .as(JsonNode.class);
        assertTrue(api.at("/paths").has(JOBS + "/{id}/events"), api.at("/paths").toString());
        assertTrue(
                api.at("/paths").has("/admin/v1/models/{id}/activation"),
                api.at("/paths").toString());
        assertTrue(api.at("/components/schemas/NewRequantization/properties").has("calibration_set"));
        assertTrue(api.at("/components/schemas/Requantization/properties").has("seconds_left"));
        assertFalse(api.at("/components/schemas/PlanCandidate/properties/ratio_to_q4_k_m")
                .isMissingNode());
        for (String part : List.of("total", "weights", "mmproj", "kv_cache", "compute", "processes")) {
            assertFalse(
                    api.at("/components/schemas/MemoryEstimate/properties/" + part + "/description")
                            .isMissingNode(),
                    part);
        }
        for (String property : List.of("kernels", "memory")) {
            assertFalse(
                    api.at("/components/schemas/AdminModel/properties/" + property + "/description")
                            .isMissingNode(),
                    property);
        }
        for (String schema : List.of("AdminModel", "NewModel", "NewPlan")) {
            List<String> kernels = new ArrayList<>();
            api.at("/components/schemas/" + schema + "/properties/kernels/enum")
                    .forEach(name -> kernels.add(name.asText()));
            kernels.remove("null");
            assertEquals(Arrays.stream(Kernels.values()).map(AdminBody::text).toList(), kernels, schema);
        }
    }

    private String create(String variant, String more) {
        return json(request(variant, more))
                .post(JOBS)
                .then()
                .statusCode(202)
                .extract()
                .path("id");
    }

    private static String request(String variant, String more) {
        return "{\"model\":\"tiny\",\"budget\":\"60%\",\"calibration_set\":\"shapes\",\"evaluation_set\":\"shapes\","
                + "\"variant\":\"" + variant + "\"" + more + "}";
    }

    private static Path writeToRoot(String set) throws IOException {
        Path folder = AdminProfile.data().resolve("roots").resolve(set);
        for (Map.Entry<String, byte[]> file : TestArchives.set().entrySet()) {
            Files.createDirectories(folder.resolve(file.getKey()).getParent());
            Files.write(folder.resolve(file.getKey()), file.getValue());
        }
        return folder;
    }

    private static Response upload(String name, byte[] archive) {
        return admin().contentType("application/zip")
                .queryParam("name", name)
                .body(archive)
                .post(SETS);
    }

    private static JsonNode job(String id) {
        return admin().get(JOBS + "/" + id).then().statusCode(200).extract().as(JsonNode.class);
    }

    private static Path folder(String id) {
        return AdminProfile.data().resolve("jobs").resolve(id);
    }

    private static void go(String id) throws IOException {
        Files.writeString(folder(id).resolve("go"), "");
    }

    private HttpResponse<InputStream> events(String id, String last) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(JOBS + "/" + id + "/events"))
                .header("Authorization", "Bearer " + AdminProfile.ADMIN);
        if (last != null) {
            request.header("Last-Event-ID", last);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    }

    private static String metrics() {
        return admin().get("/q/metrics").then().statusCode(200).extract().asString();
    }
}
