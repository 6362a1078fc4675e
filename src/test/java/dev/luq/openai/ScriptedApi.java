package dev.luq.openai;

import static dev.luq.Until.until;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.notNullValue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.luq.http.intake.IntakeBudget;
import io.quarkus.test.common.http.TestHTTPResource;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;

/** The API in front of workers that do as a test tells them; each test class says so with their profile. */
public abstract class ScriptedApi {

    public static final JsonMapper JSON = new JsonMapper();
    public static final String CHAT = "/v1/chat/completions";
    public static final String USER = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    @Inject
    public ScriptedWorkers workers;

    @Inject
    public IntakeBudget budget;

    @TestHTTPResource
    public URI server;

    @AfterEach
    public void nothingIsHeld() {
        until("the memory of requests that ended to be free again", () -> budget.free() == budget.total());
        workers.requests.clear();
        workers.answers.clear();
        workers.loadTime = Duration.ZERO;
    }

    public static RequestSpecification request() {
        return given().contentType("application/json").header("Authorization", "Bearer " + ScriptedProfile.USER);
    }

    /** @param fields of the request beside messages, each behind a comma */
    public static ValidatableResponse chat(String fields) {
        return request().body("{" + USER + fields + "}").post(CHAT).then();
    }

    /** @param parts of the user's message */
    public static ValidatableResponse chatOf(String... parts) {
        return request()
                .body("{\"messages\":[{\"role\":\"user\",\"content\":[" + String.join(",", parts) + "]}]}")
                .post(CHAT)
                .then();
    }

    /** @param fields of the request beside messages, each behind a comma */
    public static ValidatableResponse stream(String fields) {
        return chat(fields + ",\"stream\":true");
    }

    public static ValidatableResponse assertError(ValidatableResponse response, int status, String code) {
        return response.statusCode(status)
                .contentType("application/json")
                .header("x-request-id", notNullValue())
                .body("error.code", equalTo(code))
                .body("error.message", notNullValue())
                .body("error.type", notNullValue())
                .body("error", hasKey("param"));
    }
}
