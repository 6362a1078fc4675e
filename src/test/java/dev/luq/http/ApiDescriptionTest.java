package dev.luq.http;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.openai.ScriptedProfile;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import io.swagger.v3.oas.models.security.SecurityRequirement;
import io.swagger.v3.oas.models.security.SecurityScheme;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The description of the API, and the page that shows it. */
@Integration
@QuarkusTest
@TestProfile(ScriptedProfile.class)
class ApiDescriptionTest {

    @ParameterizedTest
    @ValueSource(strings = {"json", "yaml"})
    void swaggersOwnParserFindsNothingWrong(String format) {
        ParseOptions options = new ParseOptions();
        options.setResolve(true);
        SwaggerParseResult parsed = new OpenAPIV3Parser()
                .readContents(
                        given().header("Authorization", "Bearer " + ScriptedProfile.USER)
                                .get("/q/openapi?format=" + format)
                                .asString(),
                        null,
                        options);
        assertEquals(List.of(), parsed.getMessages());
        assertTrue(parsed.getOpenAPI().getPaths().size() > 10);
        SecurityScheme key =
                parsed.getOpenAPI().getComponents().getSecuritySchemes().get("key");
        assertEquals("http bearer", key.getType() + " " + key.getScheme());
        assertEquals(
                List.of(new SecurityRequirement().addList("key")),
                parsed.getOpenAPI().getSecurity());
    }

    @Test
    void thePageOpensWithoutAKeyAndTheDescriptionDoesNot() {
        given().get("/q/openapi").then().statusCode(401);
        given().redirects()
                .follow(false)
                .get("/q/swagger-ui")
                .then()
                .statusCode(308)
                .header("Location", equalTo("swagger-ui/"));
        Response page = given().get("/q/swagger-ui/");
        assertEquals(200, page.statusCode());
        Matcher file = Pattern.compile("(?:href|src)=\"([^\"]+)\"").matcher(page.asString());
        int files = 0;
        for (; file.find(); files++) {
            given().get("/q/swagger-ui/" + file.group(1)).then().statusCode(200);
        }
        assertEquals(4, files);
        given().get("/q/swagger-ui/none.js").then().statusCode(404);
        given().get("/webjars/swagger-ui/index.html").then().statusCode(401);
    }

    /** What the policy of the page forbids must not be in it. */
    @Test
    void thePageRunsItsOwnScriptsOnly() {
        Response page = given().get("/q/swagger-ui/");
        String policy = page.header("Content-Security-Policy");
        assertTrue(policy.contains("default-src 'none'; script-src 'self';"), policy);
        assertFalse(page.asString().matches("(?s).*<script(?! src=\"[a-z.-]+\"></script>).*"), page.asString());
        assertFalse(page.asString().matches("(?s).*(style=| on[a-z]+=|https?:).*"), page.asString());
        given().get("/q/swagger-ui/swagger-ui-bundle.js")
                .then()
                .contentType("text/javascript; charset=utf-8")
                .body(containsString("SwaggerUIBundle"));
    }
}
