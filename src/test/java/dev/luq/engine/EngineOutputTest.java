package dev.luq.engine;

import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What of an answer a client asks for: its end, its form, its deltas and log probabilities. */
@Integration
@Timeout(120)
class EngineOutputTest {

    @Test
    void textInQuickSuccessionIsOneDeltaAfterTheFirst() throws Exception {
        Outcome piecewise;
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            piecewise = tiny.complete(tiny.ask(user("Count.")));
        }
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64, Duration.ofDays(1))) {
            Outcome gathered = tiny.complete(tiny.ask(user("Count.")));
            List<GenerationEvent.Delta> deltas = gathered.events(GenerationEvent.Delta.class);
            assertEquals(2, deltas.size());
            assertEquals(piecewise.events(GenerationEvent.Delta.class).get(0), withId(deltas.get(0), "r0"));
            assertEquals(piecewise.text(), gathered.text());
            assertEquals(piecewise.tokens(), gathered.tokens());
        }
    }

    @Test
    void textHeldBackDoesNotWaitForAnotherRequestsPrompt() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64, Duration.ofDays(1))) {
            CountDownLatch started = new CountDownLatch(1);
            Outcome stream =
                    tiny.submit(tiny.ask(user("Count.")).maxTokens(200).as("stream"), event -> started.countDown());
            started.await();
            tiny.complete(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            assertEquals(200, stream.await().tokens().size());
            assertTrue(stream.events(GenerationEvent.Delta.class).size() > 2);
        }
    }

    private static GenerationEvent.Delta withId(GenerationEvent.Delta delta, String id) {
        return new GenerationEvent.Delta(id, delta.content(), delta.toolCall(), delta.logprobs(), delta.tokens());
    }

    @Test
    void aStopStringEndsTheAnswerBeforeIt() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Ask ask = tiny.ask(user("What colour is the square?")).maxTokens(40);
            String whole = tiny.complete(ask).text();
            String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 3);
            Outcome stopped = tiny.complete(ask.stop("never in it", stop));
            assertEquals(whole.substring(0, whole.indexOf(stop)), stopped.text());
            assertEquals(FinishReason.STOP, stopped.finished().reason());
            assertTrue(stopped.finished().completionTokens() < 40);
        }
    }

    @Test
    void logProbabilitiesComeWithEveryToken() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome outcome = tiny.complete(tiny.ask(user("Hello")).logprobs(20));
            assertEquals(16, outcome.logprobs().size());
            for (GenerationEvent.TokenLogprob token : outcome.logprobs()) {
                assertEquals(20, token.top().size());
                assertTrue(token.logprob() <= 0);
                double mass = token.top().stream()
                        .mapToDouble(t -> Math.exp(t.logprob()))
                        .sum();
                assertTrue(mass > 0 && mass <= 1 + 1e-9);
            }
            Outcome without = tiny.complete(tiny.ask(user("Hello")).logprobs(-1));
            assertTrue(without.events(GenerationEvent.Delta.class).stream().allMatch(d -> d.logprobs() == null));
            assertEquals(outcome.text(), without.text());
        }
    }

    @Test
    void withoutAMaximumTheAnswerEndsWithTheContext() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome outcome = tiny.complete(tiny.ask(user("Hello")).maxTokens(0));
            assertEquals(FinishReason.LENGTH, outcome.finished().reason());
            assertEquals(
                    tiny.engine.stats().kvCells() + 1,
                    outcome.accepted().promptTokens() + outcome.finished().completionTokens());
        }
    }

    @Test
    void aSchemaIsFollowed() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            String schema =
                    """
                    {"type":"object","properties":{"colour":{"enum":["red","blue"]},"round":{"type":"boolean"}},
                    "required":["colour","round"],"additionalProperties":false}""";
            Outcome outcome =
                    tiny.complete(tiny.ask(user("Hello")).schema(schema).maxTokens(200));
            JsonNode json = new ObjectMapper().readTree(outcome.text());
            assertTrue(List.of("red", "blue").contains(json.get("colour").asText()), outcome.text());
            assertTrue(json.get("round").isBoolean());
            assertEquals(FinishReason.STOP, outcome.finished().reason());
        }
    }

    @Test
    void jsonObjectIsJsonAndNothingElse() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            String text = tiny.complete(tiny.ask(user("Hi"))
                            .schema("{\"type\":\"object\"}")
                            .random(3)
                            .maxTokens(40))
                    .text();
            assertTrue(text.startsWith("{"), text);
        }
    }
}
