package dev.luq.engine;

import static dev.luq.Until.until;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.engine.TinyEngine.Ask;
import dev.luq.engine.TinyEngine.Outcome;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Model;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptRequest;
import dev.luq.prompt.PromptRequest.ImageInput;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many requests at once: side by side, cancelled, closed. */
@Integration
@Timeout(120)
class EngineTest {

    /** While two long prompts are prepared, a short one passes. */
    @Test
    void aShortPromptDoesNotWaitForLongOnes() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            List<Outcome> slow = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                slow.add(tiny.submit(tiny.ask(user((" " + i).repeat(400_000)))));
            }
            tiny.complete(tiny.ask(user("Hi")).maxTokens(2)).finished();
            for (Outcome outcome : slow) {
                assertEquals("context_length_exceeded", outcome.await().failed().code());
            }
        }
    }

    /** If encoding held up decoding, this would never end. */
    @Test
    void threeStreamsGoOnWhileTheFourthsImageIsEncoded() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch furtherTokens = new CountDownLatch(3);
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, (vision, chunk, listener) -> {
            encoding.countDown();
            awaitQuietly(furtherTokens);
            return vision.encode(chunk);
        })) {
            Outcome image = tiny.submit(tiny.ask(userWithImages("Describe.", 1)).image(noise(1)));
            encoding.await();
            List<Outcome> streams = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                AtomicInteger deltas = new AtomicInteger();
                streams.add(
                        tiny.submit(tiny.ask(user("Stream " + i)).maxTokens(40).as("stream" + i), event -> {
                            if (event instanceof GenerationEvent.Delta && deltas.incrementAndGet() == 5) {
                                furtherTokens.countDown();
                            }
                        }));
            }
            for (Outcome stream : streams) {
                assertEquals(FinishReason.LENGTH, stream.await().finished().reason());
            }
            assertEquals(FinishReason.LENGTH, image.await().finished().reason());
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void manyRequestsOnFewSequencesAllEnd() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 3, 16)) {
            List<Outcome> outcomes = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                Ask ask = i % 3 == 0
                        ? tiny.ask(userWithImages("Number " + i, 1)).image(noise(i % 5))
                        : tiny.ask(user("Number " + i % 7));
                outcomes.add(tiny.submit(ask.maxTokens(1 + i % 9)));
            }
            for (int i = 0; i < 40; i++) {
                assertEquals(1 + i % 9, outcomes.get(i).await().finished().completionTokens());
            }
            assertEquals(0, tiny.engine.stats().running() + tiny.engine.stats().waiting());
        }
    }

    @Test
    void cancellingAGenerationStopsItWithinOneStep() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            AtomicInteger deltas = new AtomicInteger();
            // The listener runs on the engine's thread: the cancellation is in the mailbox before the next step.
            Outcome outcome = tiny.submit(tiny.ask(user("Hello")).maxTokens(0).as("a"), event -> {
                        if (event instanceof GenerationEvent.Delta && deltas.incrementAndGet() == 3) {
                            tiny.engine.cancel("a");
                        }
                    })
                    .await();
            assertEquals("cancelled", outcome.failed().code());
            assertEquals(3, deltas.get());
            tiny.complete(tiny.ask(user("Hello")).maxTokens(1));
            assertEquals(1, tiny.engine.stats().cancelled());
            assertEquals(0, tiny.engine.stats().running());
        }
    }

    @Test
    void cancellingWhileTheImageIsEncodedAnswersAtOnce() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, (vision, chunk, listener) -> {
            encoding.countDown();
            awaitQuietly(cancelled);
            return vision.encode(chunk);
        })) {
            Outcome running =
                    tiny.submit(tiny.ask(userWithImages("x", 1)).image(noise(1)).as("a"), event -> {});
            Outcome queued =
                    tiny.submit(tiny.ask(userWithImages("y", 1)).image(noise(2)).as("b"), event -> {});
            encoding.await();
            tiny.engine.cancel("a");
            tiny.engine.cancel("b");
            assertEquals("cancelled", running.await().failed().code());
            assertEquals("cancelled", queued.await().failed().code());
            cancelled.countDown();
            Outcome next = tiny.complete(tiny.ask(userWithImages("x", 1)).image(noise(1)));
            assertEquals(16, next.tokens().size());
            assertEquals(1, tiny.engine.stats().imagesEncoded(), "the one that had begun serves the next");
        }
    }

    /** Side in pixels of a picture whose encoding takes several pieces; the context holds two. */
    private static final int LARGE = 308;

    @Test
    void cancellingStopsTheEncodingItself() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(
                QWEN,
                4,
                64,
                (vision, chunk, listener) -> vision.encode(chunk, share -> {
                    encoding.countDown();
                    awaitQuietly(cancelled);
                    return listener.computed(share);
                }))) {
            Outcome large = tiny.submit(
                    tiny.ask(userWithImages("x", 1)).image(noise(1, LARGE)).as("large"), event -> {});
            encoding.await();
            tiny.engine.cancel("large");
            cancelled.countDown();
            assertEquals("cancelled", large.await().failed().code());
            Outcome next = tiny.complete(tiny.ask(userWithImages("y", 1)).image(noise(2)));
            assertEquals(16, next.tokens().size());
            assertEquals(1, tiny.engine.stats().imagesEncoded(), "the large one was not encoded to its end");
        }
    }

    @Test
    void anEncodingGoesOnAsLongAsSomebodyWaitsForIt() throws Exception {
        CountDownLatch encoding = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(
                QWEN,
                4,
                64,
                (vision, chunk, listener) -> vision.encode(chunk, share -> {
                    encoding.countDown();
                    awaitQuietly(goOn);
                    return listener.computed(share);
                }))) {
            // Without the cache of prompts, no request waits for another one's prompt.
            Ask ask = tiny.ask(userWithImages("x", 1)).image(noise(1, LARGE)).withoutCache();
            Outcome first = tiny.submit(ask.as("first"), event -> {});
            encoding.await();
            Outcome second = tiny.submit(ask.as("second"), event -> {});
            until("both to wait for the image", () -> tiny.engine.stats().imageQueries() == 2);
            tiny.engine.cancel("first");
            assertEquals("cancelled", first.await().failed().code());
            goOn.countDown();
            assertEquals(16, second.await().tokens().size());
            assertEquals(1, tiny.engine.stats().imagesEncoded());
        }
    }

    @Test
    void anEncodingThatIsStoppedBeginsAnewForWhoCameMeanwhile() throws Exception {
        CountDownLatch stopping = new CountDownLatch(1);
        CountDownLatch stop = new CountDownLatch(1);
        AtomicInteger begun = new AtomicInteger();
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64, (vision, chunk, listener) -> {
            if (begun.getAndIncrement() > 0) {
                return vision.encode(chunk, listener);
            }
            return vision.encode(chunk, share -> {
                while (listener.computed(share)) {
                    Thread.onSpinWait();
                }
                stopping.countDown();
                awaitQuietly(stop);
                return false;
            });
        })) {
            // Without the cache of prompts, no request waits for another one's prompt.
            Ask ask = tiny.ask(userWithImages("x", 1)).image(noise(1, LARGE)).withoutCache();
            Outcome first = tiny.submit(ask.as("first"), event -> {});
            until("the encoding to begin", () -> begun.get() == 1);
            tiny.engine.cancel("first");
            assertEquals("cancelled", first.await().failed().code());
            stopping.await();
            Outcome second = tiny.submit(ask.as("second"), event -> {});
            until("the second to wait for the image", () -> tiny.engine.stats().imageQueries() == 2);
            stop.countDown();
            assertEquals(16, second.await().tokens().size());
            assertEquals(2, begun.get());
            assertEquals(1, tiny.engine.stats().imagesEncoded());
        }
    }

    @Test
    void aStreamAndAnEncodingThatTakeTurnsBothGetToTheirEnd() throws Exception {
        try (TinyEngine tiny = TinyEngine.inTurns(QWEN, 2, 64)) {
            Outcome stream = tiny.submit(tiny.ask(user("Stream")).maxTokens(300));
            Outcome image = tiny.complete(tiny.ask(userWithImages("x", 1)).image(noise(1, LARGE)));
            assertEquals(16, image.tokens().size());
            assertEquals(300, stream.await().tokens().size());
            Outcome cancelled = tiny.submit(
                    tiny.ask(userWithImages("x", 1)).image(noise(2, LARGE)).as("cancelled"), event -> {});
            Outcome beside = tiny.submit(tiny.ask(user("Beside")).maxTokens(100));
            tiny.engine.cancel("cancelled");
            assertEquals("cancelled", cancelled.await().failed().code());
            assertEquals(100, beside.await().tokens().size());
        }
    }

    @Test
    void requestsThatWaitAreToldHowFarTheyAre() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch encodingTold = new CountDownLatch(1);
        CountDownLatch queuedTold = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 64, (vision, chunk, listener) -> {
            begun.countDown();
            listener.computed(0.5f);
            awaitQuietly(encodingTold);
            awaitQuietly(queuedTold);
            return vision.encode(chunk, listener);
        })) {
            Outcome encoding = tiny.submit(
                    tiny.ask(userWithImages("x", 1)).image(noise(1)).as("encoding"), event -> encodingTold.countDown());
            begun.await(); // so that the other one has the sequence
            Outcome queued = tiny.submit(tiny.ask(user("Hello")).as("queued"), event -> queuedTold.countDown());
            GenerationEvent.Accepted accepted = encoding.await().accepted();
            GenerationEvent.Progress told =
                    (GenerationEvent.Progress) encoding.events().get(0);
            assertEquals(GenerationEvent.Phase.ENCODING, told.phase());
            assertEquals(0.5f, told.share());
            assertEquals(accepted.promptTokens(), told.promptTokens());
            assertTrue(told.evaluatedTokens() < told.promptTokens(), told::toString);
            assertEquals(
                    new GenerationEvent.Progress(
                            "queued",
                            GenerationEvent.Phase.QUEUED,
                            0,
                            0,
                            0,
                            queued.await().accepted().promptTokens()),
                    queued.events().get(0));
        }
    }

    @Test
    void cancellingFromTheQueueAndOfNobody() throws Exception {
        try (TinyEngine tiny = new TinyEngine(QWEN, 1, 16)) {
            Outcome first = tiny.submit(tiny.ask(user("Hello")).maxTokens(100));
            Outcome waiting = tiny.submit(tiny.ask(user("Hello")).as("waiting"), event -> {});
            tiny.engine.cancel("waiting");
            tiny.engine.cancel("nobody");
            assertEquals("cancelled", waiting.await().failed().code());
            assertEquals(100, first.await().tokens().size());
            assertEquals(List.of(waiting.failed()), waiting.events(), "nothing else happened to it");
        }
    }

    /** Their pixels are made again when their turn comes. */
    @Test
    void moreImagesThanMayWaitWithTheirPixelsAreAnsweredAlike() throws Exception {
        List<String> alone = new ArrayList<>();
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64)) {
            for (int i = 0; i < 2 * LlamaEffects.IMAGES_WITH_PIXELS; i++) {
                alone.add(tiny.complete(asks(tiny, i)).text());
            }
        }
        CountDownLatch allAreThere = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 2, 64, (vision, chunk, listener) -> {
            awaitQuietly(allAreThere);
            return vision.encode(chunk);
        })) {
            List<Outcome> together = new ArrayList<>();
            for (int i = 0; i < alone.size(); i++) {
                together.add(tiny.submit(asks(tiny, i)));
            }
            // The thread that prepares those with images has done them all when it has done this one.
            Outcome last = tiny.submit(tiny.ask(userWithImages("x", 2)).image(noise(1)));
            try {
                last.await().failed();
            } finally {
                allAreThere.countDown();
            }
            for (int i = 0; i < alone.size(); i++) {
                assertEquals(alone.get(i), together.get(i).await().text());
            }
        }
    }

    private static Ask asks(TinyEngine tiny, int picture) {
        return tiny.ask(userWithImages("Describe.", 1)).image(noise(picture)).withoutCache();
    }

    /** All the while the thread that prepares prompts with images is held up. */
    @Test
    void nothingIsHeldOfRequestsThatAreCancelledBeforeTheyArePrepared() throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        try (TinyEngine tiny = new TinyEngine(QWEN, 4, 64)) {
            Outcome holding = tiny.submit(thatComesAfter(gone, tiny), event -> {});
            List<WeakReference<PromptRequest>> prompts = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                prompts.add(submitAndCancel(tiny, "cancelled " + i));
            }
            try {
                until("the prompts to be gone", () -> {
                    System.gc();
                    return prompts.stream().allMatch(prompt -> prompt.refersTo(null));
                });
            } finally {
                gone.countDown();
            }
            holding.await().finished();
        }
    }

    /** A request whose image can be read after this. */
    private static GenerationRequest thatComesAfter(CountDownLatch latch, TinyEngine tiny) {
        List<ImageInput> late = new AbstractList<>() {
            @Override
            public ImageInput get(int index) {
                awaitQuietly(latch);
                return noise(1);
            }

            @Override
            public int size() {
                return 1;
            }
        };
        PromptRequest prompt = tiny.ask(userWithImages("x", 1)).as("holding").prompt();
        return new GenerationRequest(
                "holding",
                new PromptRequest(prompt.content(), late, prompt.sampling(), null),
                1,
                List.of(),
                -1,
                true,
                null);
    }

    private static WeakReference<PromptRequest> submitAndCancel(TinyEngine tiny, String id) throws Exception {
        GenerationRequest request =
                tiny.ask(userWithImages("x", 1)).image(noise(1)).as(id);
        Outcome outcome = tiny.submit(request, event -> {});
        tiny.engine.cancel(id);
        assertEquals("cancelled", outcome.await().failed().code());
        return new WeakReference<>(request.prompt());
    }

    @Test
    void theEngineMustFitItsContext() {
        Model model = TinyEngine.model(QWEN);
        try (Context context = Context.create(model, new ContextOptions(512, 64, 2, 1, KvType.F16, false));
                ChatTemplates templates = ChatTemplates.of(model)) {
            for (EngineOptions options : List.of(
                    new EngineOptions(3, 64, 0, 0, Duration.ZERO, false),
                    new EngineOptions(2, 65, 0, 0, Duration.ZERO, false))) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> Engine.start(
                                options, model, context, templates, null, EngineFiles.NONE, WorkListener.NONE));
            }
        }
        assertThrows(IllegalArgumentException.class, () -> new EngineOptions(4, 4, 0, 0, Duration.ZERO, false));
    }

    @Test
    void closingCancelsWhatRunsAndRefusesWhatComes() throws Exception {
        TinyEngine tiny = new TinyEngine(QWEN, 2, 64);
        CountDownLatch started = new CountDownLatch(1);
        List<Outcome> outcomes = Stream.of("a", "b", "c")
                .map(id -> tiny.submit(tiny.ask(user("Hello")).maxTokens(400).as(id), event -> started.countDown()))
                .toList();
        started.await();
        tiny.close();
        for (Outcome outcome : outcomes) {
            List<GenerationEvent> events = outcome.await().events();
            GenerationEvent last = events.get(events.size() - 1);
            assertEquals(
                    "cancelled",
                    assertInstanceOf(GenerationEvent.Failed.class, last).code());
        }
        assertEquals(
                "cancelled", tiny.complete(tiny.ask(user("Hello"))).failed().code());
        tiny.close();
    }
}
