package dev.luq.engine;

import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.llama.SamplerOptions;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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

    /** Else an answer would keep clear of the words of its question. */
    @Test
    void whatOnlyThePromptHasIsPenalizedAsARepetitionAlone() throws Exception {
        int asked = 120;
        int other = 121;
        Map<Integer, Float> almostEqual = Map.of(asked, 100f, other, 99f);
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            assertEquals(asked, first(tiny, new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, almostEqual)));
            assertEquals(asked, first(tiny, new SamplerOptions(0f, 1f, 0, 0f, 2f, 2f, 1f, 0, almostEqual)));
            assertEquals(other, first(tiny, new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1.5f, 0, almostEqual)));
        }
    }

    /** The first token of the answer to a prompt of the token 120. */
    private static int first(TinyEngine tiny, SamplerOptions sampling) throws Exception {
        PromptContent prompt = new PromptContent.Raw(List.of(new PromptContent.Piece.Tokens(new int[] {120})), null);
        Outcome outcome = new Outcome();
        tiny.engine.submit(
                new GenerationRequest(
                        "r", new PromptRequest(prompt, List.of(), sampling, null), 1, List.of(), 0, false, null),
                outcome);
        return outcome.await().logprobs().get(0).id();
    }

    private static GenerationEvent.Delta withId(GenerationEvent.Delta delta, String id) {
        return new GenerationEvent.Delta(
                id, delta.content(), delta.thought(), delta.toolCall(), delta.logprobs(), delta.tokens());
    }

    @Test
    void aStopStringEndsTheAnswerBeforeIt() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Ask ask = tiny.ask(user("What colour is the square?")).maxTokens(40);
            Outcome unstopped = tiny.complete(ask);
            assertNull(unstopped.finished().stop());
            String whole = unstopped.text();
            String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 3);
            Outcome stopped = tiny.complete(ask.stop("never in it", stop));
            assertEquals(whole.substring(0, whole.indexOf(stop)), stopped.text());
            assertEquals(FinishReason.STOP, stopped.finished().reason());
            assertEquals(stop, stopped.finished().stop());
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

    private static final String TOOLS =
            """
            [{"type":"function","function":{"name":"paint","parameters":{"type":"object","properties":
            {"colour":{"enum":["red","blue"]}},"required":["colour"],"additionalProperties":false}}}]""";

    @Test
    void aRequiredCallThatIsCutOffEndsWithLength() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            Outcome outcome =
                    tiny.complete(tiny.ask(user("Hi")).tools(TOOLS, "required").maxTokens(4));
            assertEquals(FinishReason.LENGTH, outcome.finished().reason());
            assertEquals("", outcome.text());
        }
    }

    @Test
    void toolsOfATemplateThatKnowsNoneAreNoFault() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            int without = tiny.complete(tiny.ask(user("Hi"))).accepted().promptTokens();
            Outcome auto = tiny.complete(tiny.ask(user("Hi")).tools(TOOLS, "auto"));
            assertTrue(auto.accepted().promptTokens() > without, "it is told of them");
            Outcome none = tiny.complete(tiny.ask(user("Hi")).tools(TOOLS, "none"));
            assertEquals(without, none.accepted().promptTokens());
        }
    }

    @Test
    void anAnswerContinuesTheLastMessage() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            Ask ask = tiny.ask(user("Hello"));
            Outcome whole = tiny.complete(ask);
            String beginning = whole.text().substring(0, whole.text().length() / 2);
            Outcome rest = tiny.complete(ask.continues(beginning));
            assertTrue(
                    rest.accepted().promptTokens() > whole.accepted().promptTokens(), "the beginning is in the prompt");
            assertEquals(FinishReason.LENGTH, rest.finished().reason());
        }
    }

    @Test
    void aGrammarIsFollowed() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            Outcome outcome = tiny.complete(tiny.ask(user("Hi")).grammar("root ::= \"yes\" | \"no\""));
            assertTrue(List.of("yes", "no").contains(outcome.text()), outcome.text());
            assertEquals(FinishReason.STOP, outcome.finished().reason());
            for (String wrong : List.of("root ::= nothing", "no grammar", "%llguidance {}")) {
                GenerationEvent.Failed failed =
                        tiny.complete(tiny.ask(user("Hi")).grammar(wrong)).failed();
                assertEquals("invalid_request", failed.code());
                assertEquals("grammar", failed.param());
            }
        }
    }

    @Test
    void anAnswerThatMayNotEndEndsWithItsMaximum() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            for (long seed = 1; seed < 4; seed++) {
                Outcome outcome = tiny.complete(
                        tiny.ask(user("Hi")).random(seed).mayEnd().ignoringEnd().maxTokens(300));
                assertEquals(FinishReason.LENGTH, outcome.finished().reason());
                assertEquals(300, outcome.finished().completionTokens());
            }
        }
    }
}
