package dev.luq.engine;

import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be answered fails by itself, and the others go on. */
@Integration
@Timeout(120)
class EngineFailuresTest {

    /** The other one generates beside it, whatever the grammar costs. */
    @Test
    void aGrammarThatIsTooComplexEndsItsOwnRequestOnly() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            Outcome other = tiny.submit(tiny.ask(user("Hello")).maxTokens(100));
            // at once, and behind more text than any token has
            for (String begin : List.of("", "xyz".repeat(40))) {
                String schema = "{\"type\":\"string\",\"pattern\":\"^" + begin + "(.{0,2000}){0,2000}b$\"}";
                Outcome complex =
                        tiny.complete(tiny.ask(user("Hi")).schema(schema).maxTokens(200));
                assertEquals("schema_too_complex", complex.failed().code());
                assertEquals("response_format", complex.failed().param());
            }
            assertEquals(100, other.await().finished().completionTokens());
        }
    }

    /** Of all text that is accepted only so much is tokenized as the context holds. */
    @Test
    void textThatDoesNotFitIsRefusedSoon() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64)) {
            GenerationEvent.Failed failed =
                    tiny.complete(tiny.ask(user("x".repeat(3_000_000)))).failed();
            assertEquals("context_length_exceeded", failed.code());
            assertTrue(failed.message().contains("more than"), failed.message());
        }
    }

    @Test
    void whatCannotBeAnsweredFailsWithItsFieldAndTheNextIsAnswered() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            GenerationEvent.Failed tooLong =
                    tiny.complete(tiny.ask(user("word ".repeat(600)))).failed();
            assertEquals("context_length_exceeded", tooLong.code());
            assertEquals("messages", tooLong.param());
            GenerationEvent.Overflow overflow = tooLong.overflow();
            assertTrue(overflow.promptTokens() > 600, overflow.toString());
            String maximum = "This model's maximum context length is " + overflow.contextSize() + " tokens";
            assertTrue(tooLong.message().startsWith(maximum), tooLong.message());
            GenerationEvent.Failed schema = tiny.complete(tiny.ask(user("x")).schema("{\"type\":\"no such type\"}"))
                    .failed();
            assertEquals("invalid_request", schema.code());
            assertEquals("response_format", schema.param());
            assertEquals(
                    "invalid_request",
                    tiny.complete(tiny.ask("[{\"content\":\"no role\"}]"))
                            .failed()
                            .code());
            assertEquals(16, tiny.complete(tiny.ask(user("x"))).tokens().size());
        }
    }

    @Test
    void aModelWithoutVisionRefusesImages() throws Exception {
        try (TinyEngine tiny = TinyEngine.withoutVision(QWEN)) {
            GenerationEvent.Failed failed = tiny.complete(
                            tiny.ask(userWithImages("x", 1)).image(noise(1)))
                    .failed();
            assertEquals("unsupported_modality", failed.code());
            assertEquals(16, tiny.complete(tiny.ask(user("x"))).tokens().size());
        }
    }

    @Test
    void anImageThatCannotBeEncodedFailsItsRequestOnly() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, (vision, chunk, listener) -> {
            throw new IllegalStateException("secret detail");
        })) {
            Outcome text = tiny.submit(tiny.ask(user("x")));
            GenerationEvent.Failed failed = tiny.complete(
                            tiny.ask(userWithImages("x", 1)).image(noise(1)))
                    .failed();
            assertEquals("internal_error", failed.code());
            assertFalse(failed.message().contains("secret"));
            assertEquals(16, text.await().tokens().size());
        }
    }

    @Test
    void aListenerThatThrowsEndsItsOwnRequestOnly() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            tiny.engine.submit(tiny.ask(user("Hello")).maxTokens(0).as("broken"), event -> {
                throw new IllegalStateException("gone");
            });
            assertEquals(16, tiny.complete(tiny.ask(user("Hello"))).tokens().size());
            tiny.complete(tiny.ask(user("Hello")).maxTokens(1));
            assertEquals(0, tiny.engine.stats().running());
        }
    }

    /** Whether in the last piece of the answer or in its end: both come in the same moment here. */
    @ParameterizedTest
    @ValueSource(classes = {GenerationEvent.Delta.class, GenerationEvent.Finished.class})
    void anErrorAtTheEndOfARequestLeavesItOneEndAndTheNextIsAnswered(Class<?> last) throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome taken = new Outcome();
            tiny.engine.submit(tiny.ask(user("Hello")).maxTokens(1).as("broken"), event -> {
                if (last.isInstance(event)) {
                    throw new StackOverflowError("too deep");
                }
                taken.accept(event);
            });
            assertEquals("internal_error", taken.await().failed().code());
            assertEquals(16, tiny.complete(tiny.ask(user("Hello"))).tokens().size());
            assertEquals(1, taken.events(GenerationEvent.Failed.class).size());
            assertEquals(0, tiny.engine.stats().running());
        }
    }

    @Test
    void anIdInUseIsRefused() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome first = tiny.submit(tiny.ask(user("Hello")).maxTokens(50).as("same"), event -> {});
            Outcome second = tiny.submit(tiny.ask(user("Hello")).as("same"), event -> {});
            assertEquals("internal_error", second.await().failed().code());
            assertEquals(50, first.await().tokens().size());
        }
    }
}
