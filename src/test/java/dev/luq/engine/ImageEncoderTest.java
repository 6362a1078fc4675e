package dev.luq.engine;

import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Model;
import dev.luq.llama.SequenceState;
import dev.luq.llama.Vision;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptUnit;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The encoder's threads by themselves, beside files of which nothing can be had. */
@Integration
class ImageEncoderTest {

    /** As where memory or stack run out. */
    private static final SeenImages BROKEN = new SeenImages() {
        @Override
        public void open() {
            throw new StackOverflowError("open");
        }

        @Override
        public Optional<ImageEmbedding> find(String image, ImageChunk chunk) {
            throw new OutOfMemoryError("find");
        }

        @Override
        public void keep(String image, ImageEmbedding embedding) {
            throw new OutOfMemoryError("keep");
        }
    };

    private final Model model = TinyEngine.model(QWEN);
    private final Replies replies = new Replies();
    private final BlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
    private final Thread.UncaughtExceptionHandler handlerBefore = Thread.getDefaultUncaughtExceptionHandler();
    /** Of the request. */
    private PromptUnit.Image image;

    private int unit;

    /** In a worker such a defect ends the process. */
    @BeforeEach
    void watchThreads() {
        Thread.setDefaultUncaughtExceptionHandler((thread, defect) -> uncaught.add(defect));
    }

    @AfterEach
    void leaveThreads() {
        Thread.setDefaultUncaughtExceptionHandler(handlerBefore);
    }

    @Test
    void filesThatFailDisturbNoEncoding() throws Exception {
        try (Vision vision = TinyEngine.vision(QWEN);
                ChatTemplates templates = ChatTemplates.of(model);
                ImageEncoder encoder = new ImageEncoder(
                        vision::encode,
                        new Turns(false),
                        BROKEN,
                        1 << 20,
                        replies,
                        WorkListener.NONE,
                        new LlamaEffects.Counters());
                RequestState request = request(new PromptBuilder(model, templates, vision))) {
            encoder.encode(request, unit, image);
            assertEquals("encoded " + image.id(), replies.next());
            encoder.encoded(image.id(), replies.embedding, 1);
            assertEquals("kept " + image.id(), replies.next());
            encoder.release(request);
            encoder.stopThreads();
            assertEquals(0, uncaught.size(), uncaught::toString);
        }
    }

    /** A request with one image. */
    private RequestState request(PromptBuilder prompts) {
        GenerationRequest asked = new TinyEngine.Ask(model, userWithImages("Hi", 1))
                .image(noise(1))
                .as("r");
        PromptBuilder.Prepared prepared = prompts.build(asked.prompt());
        unit = prepared.prompt().unitsWithImages() - 1;
        image = (PromptUnit.Image) prepared.prompt().units().get(unit);
        RequestState request = new RequestState(asked, event -> {}, Duration.ZERO.toNanos(), () -> {});
        request.prepared(prepared, model.vocabulary());
        return request;
    }

    /** What the encoder's threads report, in order. */
    private static final class Replies implements LlamaEffects.Replies {
        private final BlockingQueue<String> reported = new LinkedBlockingQueue<>();
        private volatile ImageEmbedding embedding;

        String next() throws InterruptedException {
            return reported.poll(60, TimeUnit.SECONDS);
        }

        @Override
        public void encoded(String of, ImageEmbedding made, double millis) {
            embedding = made;
            reported.add("encoded " + of);
        }

        @Override
        public void encodingFailed(String of, EngineException failure) {
            reported.add("failed " + of);
        }

        @Override
        public void encodingStopped(String of) {
            reported.add("stopped " + of);
        }

        @Override
        public void restored(String of, ImageEmbedding found) {
            reported.add("restored " + of);
        }

        @Override
        public void kept(String of) {
            reported.add("kept " + of);
        }

        @Override
        public void prepared(String request, PromptBuilder.Prepared prepared) {
            throw new IllegalStateException();
        }

        @Override
        public void preparationFailed(String request, EngineException failure) {
            throw new IllegalStateException();
        }

        @Override
        public void prefixRead(String request, ImagePrefix prefix, SequenceState state) {
            throw new IllegalStateException();
        }

        @Override
        public void abandoned(String request) {
            throw new IllegalStateException();
        }
    }
}
