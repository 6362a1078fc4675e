package dev.luq.openai;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What a browser or a program finds at {@code /}. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class FrontPageTest extends ScriptedApi {

    @Test
    void programsGetJson() {
        request()
                .get("/")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .header("Vary", containsString("Accept"))
                .body("name", equalTo("LUQ Server"))
                .body("version", notNullValue())
                .body("models.id", contains("scripted", "loading"))
                .body("models.state", contains("ready", "loading"))
                .body("links.values()", notNullValue());
    }

    @Test
    void modelsAreForWhoeverMayUseThem() {
        given().get("/").then().statusCode(200).body("models", nullValue());
        given().header("x-api-key", "nobody-knows-this-key")
                .get("/")
                .then()
                .statusCode(200)
                .body("models", nullValue());
        given().header("x-api-key", ScriptedProfile.NARROW).get("/").then().body("models.id", contains("loading"));
        given().accept("text/html").get("/").then().body(not(containsString("scripted")));
    }

    @Test
    void programsThatTakeAPageTooGetJson() {
        for (String accepted : List.of("application/json, text/html;q=0.1", "*/*", "text/html;q=0.2, */*;q=0.8")) {
            request().accept(accepted).get("/").then().contentType("application/json");
        }
        request().accept("text/html;q=0.9").get("/").then().contentType("text/html; charset=utf-8");
    }

    @Test
    void browsersGetAPageThatRunsNothingAndLoadsNothing() throws Exception {
        ValidatableResponse response = browser()
                .get("/")
                .then()
                .statusCode(200)
                .contentType("text/html; charset=utf-8")
                .header("X-Content-Type-Options", "nosniff");
        String page = response.extract().asString();
        assertTrue(page.contains("<th scope=\"row\">scripted</th><td>ready</td>"), page);
        assertFalse(page.contains("<script") || page.contains("src="), page);
        String policy = response.extract().header("Content-Security-Policy");
        assertTrue(policy.startsWith("default-src 'none'; ") && !policy.contains("unsafe"), policy);
        Matcher style = Pattern.compile("(?s)<style>(.*)</style>").matcher(page);
        assertTrue(style.find());
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(style.group(1).getBytes(StandardCharsets.UTF_8));
        assertTrue(policy.contains("'sha256-" + Base64.getEncoder().encodeToString(hash) + "'"), policy);
        Matcher link = Pattern.compile("href=\"([^\"]+)\"").matcher(page);
        while (link.find()) {
            int status = request().redirects().follow(true).get(link.group(1)).statusCode();
            assertTrue(status == 200 || status == 503, link.group(1) + " " + status);
        }
    }

    @Test
    void aHostThatIsMarkupStaysText() throws Exception {
        String page =
                RawClient.exchange(server, "GET", "/", ScriptedProfile.USER, "Host: a'b&c\r\nAccept: text/html\r\n");
        assertFalse(page.contains("a'b"), page);
    }

    /** Each line may be copied; a model that does not exist is named where models may not be known. */
    @Test
    void everyEndpointIsThereAndEveryExampleWorks() throws Exception {
        workers.script = request -> ScriptedWorkers.text(request, "word");
        TreeSet<String> paths = new TreeSet<>();
        int examples = 0;
        for (JsonNode endpoint : JSON.readTree(request().get("/").asString()).get("endpoints")) {
            String path = endpoint.get("path").asText();
            paths.add(path);
            String example = endpoint.get("example").asText(null);
            if (example != null) {
                examples++;
                run(example);
            }
        }
        TreeSet<String> described = new TreeSet<>();
        JSON.readTree(request().get("/q/openapi?format=json").asString())
                .get("paths")
                .fieldNames()
                .forEachRemaining(described::add);
        described.removeIf(path -> path.startsWith("/admin/"));
        assertEquals(described, paths);
        assertTrue(examples >= 3, "chat, models, one model");
    }

    private void run(String example) {
        Matcher curl = Pattern.compile("curl (\\S+)(?: -H 'Content-Type: application/json' -d '(.*)')?")
                .matcher(example);
        assertTrue(curl.matches(), example);
        RequestSpecification call =
                given().contentType("application/json").auth().oauth2(ScriptedProfile.ADMIN);
        String path = URI.create(curl.group(1)).getRawPath();
        Response answer = curl.group(2) == null
                ? call.get(path)
                : call.body(curl.group(2)).post(path);
        if (path.equals(CHAT)) {
            assertEquals(200, answer.statusCode(), example);
        }
        // a model that has no use for an endpoint may say so; nothing else may be wrong with what the client sends
        assertTrue(
                answer.statusCode() < 400 || answer.statusCode() >= 500 || "model".equals(answer.path("error.param")),
                () -> example + " " + answer.asString());
    }

    private static RequestSpecification browser() {
        return request().accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    }
}
