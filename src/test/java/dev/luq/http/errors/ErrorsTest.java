package dev.luq.http.errors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.serving.ModelWorker;
import dev.luq.serving.WorkerException;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.NotSupportedException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ErrorsTest {

    @ParameterizedTest
    @CsvSource({"LOADING, model_loading", "RESTARTING, worker_restarting", "DRAINING, draining", "FAILED, model_failed"
    })
    void aModelThatIsNotReady(ModelWorker.State state, String code) {
        assertError(503, code, true, new WorkerException.NotReady(state, "why"));
    }

    @Test
    void whatEndsAGeneration() {
        assertError(429, "queue_full", true, new WorkerException.QueueFull("why"));
        assertError(503, "worker_restarting", true, new WorkerException.Died("why"));
        assertError(504, "deadline_exceeded", false, new WorkerException.DeadlineExceeded("why"));
        assertError(400, "slow_reader", false, new WorkerException.SlowReader("why"));
        assertError(422, "input_quarantined", false, new WorkerException.Quarantined("why"));
    }

    /** Libraries would wait a minute twice before they say that the model cannot be loaded. */
    @ParameterizedTest
    @CsvSource({"LOADING, false", "RESTARTING, false", "DRAINING, false", "FAILED, true", "UNLOADED, true"})
    void whatTakesLongIsNotRepeatedUnasked(ModelWorker.State state, boolean told) {
        Map<String, String> headers = Errors.describe(new WorkerException.NotReady(state, "why"), "req_1")
                .headers();
        assertTrue(headers.containsKey("Retry-After"));
        assertEquals(told ? "false" : null, headers.get("x-should-retry"));
    }

    @ParameterizedTest
    @CsvSource({
        "invalid_request, 400",
        "invalid_image, 400",
        "image_too_large, 400",
        "context_length_exceeded, 400",
        "unsupported_modality, 400",
        "queue_full, 429",
        "draining, 503",
        "deadline_exceeded, 504",
        "input_quarantined, 422",
        "request_too_large, 413"
    })
    void whatAWorkerRejects(String code, int status) {
        ApiError error = Errors.describe(new WorkerException.Rejected(code, "why", "messages"), "req_1");
        assertEquals(status, error.status());
        assertEquals(code, error.code());
        assertEquals("messages", error.param());
        assertEquals(status == 429 || status == 503, error.retryAfterSeconds().isPresent());
    }

    @Test
    void httpErrors() {
        assertError(404, "not_found", false, new NotFoundException());
        assertError(405, "method_not_allowed", false, new NotAllowedException("GET"));
        assertError(415, "unsupported_media_type", false, new NotSupportedException());
    }

    @Test
    void noThreadOrMemoryIsLeft() {
        OutOfMemoryError none = new OutOfMemoryError("unable to create native thread");
        assertError(503, "server_overloaded", true, none);
        assertError(503, "server_overloaded", true, new CompletionException(none));
    }

    @Test
    void defectsAreOursAndTellNothingButTheRequestId() {
        for (Throwable defect : new Throwable[] {
            new CompletionException(new NoSuchFileException("/secret/path")),
            new IllegalStateException("/secret/path"),
            new WorkerException.Rejected("internal_error", "/secret/path", null),
            new WorkerException.Rejected("unheard_of", "/secret/path", null)
        }) {
            ApiError error = Errors.describe(defect, "req_1");
            assertEquals(500, error.status());
            assertEquals("internal_error", error.code());
            assertEquals("server_error", error.body().error().type());
            assertFalse(error.message().contains("secret"));
            assertTrue(error.message().contains("req_1"));
        }
    }

    @Test
    void allFourMembersAreWritten() {
        assertEquals(
                "{\"error\":{\"message\":\"why\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"queue_full\"}}",
                ErrorResponses.json(Errors.describe(new WorkerException.QueueFull("why"), "req_1")));
    }

    private static void assertError(int status, String code, boolean retry, Throwable failure) {
        ApiError error = Errors.describe(failure, "req_1");
        assertEquals(status, error.status());
        assertEquals(code, error.code());
        assertEquals(retry, error.retryAfterSeconds().isPresent());
    }
}
