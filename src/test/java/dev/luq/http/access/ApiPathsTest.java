package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiPathsTest {

    @ParameterizedTest
    @CsvSource({
        "/chat/completions,             /v1/chat/completions",
        "/models,                       /v1/models",
        "/models/,                      /v1/models",
        "/v1/models/,                   /v1/models",
        "/v1/chat/completions/,         /v1/chat/completions",
        "/messages/count_tokens,        /v1/messages/count_tokens",
        "/openai/v1/chat/completions,   /v1/chat/completions",
        "/openai/chat/completions/,     /v1/chat/completions",
        "/openai/completions,           /v1/completions",
        "/openai/completions/,          /v1/completions",
        "/completions,                  /completions",
        "/v1/models/org%2Fmodel,        /v1/models/org/model",
        "/models/org%2fmodel%3Aq4,      /v1/models/org/model%3Aq4",
        "/openai/v1/models/a%2Fb%2Fc/,  /v1/models/a/b/c",
        "/v1/models/a%252Fb,            /v1/models/a%252Fb",
        "/v1/reranking,                 /v1/rerank",
        "/reranking/,                   /v1/rerank",
        "/rerank,                       /v1/rerank",
        "/openai/v1/reranking,          /v1/rerank",
        "/health,                       /q/health"
    })
    void otherWaysToWriteAPathLeadToIt(String path, String real) {
        assertEquals(real, ApiPaths.real(path));
        assertTrue(ApiPaths.isPlain(real));
        assertEquals(real, ApiPaths.real(real));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "*",
                "/v1",
                "/health/",
                "/q/health",
                "/modelsx",
                "/metrics",
                "/q/metrics/",
                "/admin/v1/models/",
                "/openai",
                "/openai/",
                "/openai/admin/v1/models",
                "/openai/q/metrics",
                "/openai/health",
                "chat/completions",
                "/v1/chat%2Fcompletions"
            })
    void everythingElseIsWhatItIs(String path) {
        assertEquals(path, ApiPaths.real(path));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/models/..%2F..%2Fadmin",
                "/models/%2e%2e%2fadmin",
                "/v1/models/a%2F%2Fb",
                "/openai//v1/models",
                "/openai/../admin",
                "/v1/models/a%5Cb",
                "/v1/models/a%3Bb",
                "/v1/models/a%00",
                "/v1/models/%%2541",
                "/v1/models/%2",
                "/v1/chat%252Fcompletions"
            })
    void whatSomebodyMayReadDifferentlyIsNotPlain(String path) {
        assertFalse(ApiPaths.isPlain(ApiPaths.real(path)));
    }
}
