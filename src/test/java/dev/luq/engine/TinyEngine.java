package dev.luq.engine;

import static dev.luq.Until.completed;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.gguf.Pooling;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.EncodingListener;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.SamplerOptions;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.machine.KvType;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import dev.luq.schema.SchemaCheck;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** An engine on one of the random-weight models of src/test/resources/reference. */
public final class TinyEngine implements AutoCloseable {

    public static final String LLAVA = "llava-tiny";
    public static final String QWEN = "qwen2.5-vl-tiny";
    static final int CONTEXT = 512;

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Path DIRECTORY = Path.of("src/test/resources/reference");
    private static final Map<String, Model> MODELS = new ConcurrentHashMap<>();

    static {
        Llama.init(line -> {});
    }

    /** What encodes images. */
    public interface Encoder {
        ImageEmbedding encode(Vision vision, ImageChunk chunk, EncodingListener listener);
    }

    /** What a request led to. Thread-safe. */
    public static final class Outcome implements Consumer<GenerationEvent> {
        private final List<GenerationEvent> events = new ArrayList<>();
        private final CompletableFuture<Outcome> end = new CompletableFuture<>();
        private Consumer<GenerationEvent> also = event -> {};

        @Override
        public void accept(GenerationEvent event) {
            synchronized (this) {
                events.add(event);
            }
            also.accept(event);
            if (event instanceof GenerationEvent.Finished || event instanceof GenerationEvent.Failed) {
                end.complete(this);
            }
        }

        synchronized List<GenerationEvent> events() {
            return List.copyOf(events);
        }

        <E extends GenerationEvent> List<E> events(Class<E> type) {
            return events().stream().filter(type::isInstance).map(type::cast).toList();
        }

        /** Waits for the end, however that is. */
        Outcome await() throws Exception {
            return completed("the end of the generation", end);
        }

        GenerationEvent.Finished finished() {
            List<GenerationEvent.Finished> finished = events(GenerationEvent.Finished.class);
            if (finished.isEmpty()) {
                throw new AssertionError("not finished: " + events());
            }
            return finished.get(0);
        }

        GenerationEvent.Failed failed() {
            List<GenerationEvent.Failed> failed = events(GenerationEvent.Failed.class);
            if (failed.isEmpty()) {
                throw new AssertionError("not failed: " + events());
            }
            return failed.get(0);
        }

        GenerationEvent.Accepted accepted() {
            return events(GenerationEvent.Accepted.class).get(0);
        }

        String text() {
            StringBuilder text = new StringBuilder();
            for (GenerationEvent.Delta delta : events(GenerationEvent.Delta.class)) {
                text.append(delta.content() == null ? "" : delta.content());
            }
            return text.toString();
        }

        List<GenerationEvent.TokenLogprob> logprobs() {
            return events(GenerationEvent.Delta.class).stream()
                    .flatMap(delta -> delta.logprobs() == null ? null : delta.logprobs().stream())
                    .toList();
        }

        /** The bytes of the generated tokens. */
        List<List<Integer>> tokens() {
            return logprobs().stream().map(GenerationEvent.TokenLogprob::bytes).toList();
        }
    }

    /** A request in the making; greedy, 16 tokens, never ending by itself, with the log probabilities of its tokens. */
    public static final class Ask {
        private final Map<Integer, Float> bias = new HashMap<>();
        private final List<PromptRequest.ImageInput> images = new ArrayList<>();
        private String messages;
        private String tools;
        private String toolChoice;
        private String schema;
        private String grammar;
        private String beginning;
        private boolean ignoreEnd;
        private float temperature;
        private long seed;
        private int maxTokens = 16;
        private List<String> stop = List.of();
        private int topLogprobs = 0;
        private boolean cachePrompt = true;
        private String salt;

        public Ask(Model model, String messages) {
            this.messages = messages;
            for (int token = 0; token < model.vocabulary().size(); token++) {
                if (model.vocabulary().isEndOfGeneration(token)) {
                    bias.put(token, -100f);
                }
            }
        }

        public Ask image(PromptRequest.ImageInput image) {
            images.add(image);
            return this;
        }

        public Ask tools(String newTools, String choice) {
            tools = newTools;
            toolChoice = choice;
            return mayEnd();
        }

        /** @param newSchema that the answer follows */
        public Ask schema(String newSchema) {
            schema = newSchema;
            return mayEnd();
        }

        /** @param newGrammar that the answer follows */
        public Ask grammar(String newGrammar) {
            grammar = newGrammar;
            return mayEnd();
        }

        /** @param newBeginning of the answer */
        public Ask continues(String newBeginning) {
            beginning = newBeginning;
            return this;
        }

        public Ask ignoringEnd() {
            ignoreEnd = true;
            return this;
        }

        public Ask mayEnd() {
            bias.clear();
            return this;
        }

        public Ask random(long newSeed) {
            temperature = 1.5f;
            seed = newSeed;
            return this;
        }

        public Ask maxTokens(int tokens) {
            maxTokens = tokens;
            return this;
        }

        public Ask stop(String... stops) {
            stop = List.of(stops);
            return this;
        }

        public Ask logprobs(int top) {
            topLogprobs = top;
            return this;
        }

        public Ask withoutCache() {
            cachePrompt = false;
            return this;
        }

        public Ask salt(String newSalt) {
            salt = newSalt;
            return this;
        }

        private String chat() {
            try {
                ObjectNode chat = JSON.createObjectNode();
                chat.set("messages", JSON.readTree(messages));
                if (tools != null) {
                    chat.set("tools", JSON.readTree(tools));
                    chat.put("tool_choice", toolChoice);
                }
                if (schema != null) {
                    SchemaCheck check = new SchemaCheck();
                    check.check(JSON.readTree(schema), "schema", true);
                    chat.set("json_schema", JSON.readTree(schema));
                    chat.set("patterns", JSON.valueToTree(check.patterns()));
                }
                if (grammar != null) {
                    chat.put("grammar", grammar);
                }
                if (beginning != null) {
                    chat.put("continue_final_message", true);
                    chat.withArray("messages")
                            .addObject()
                            .put("role", "assistant")
                            .put("content", beginning);
                }
                return chat.toString();
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException(e);
            }
        }

        public GenerationRequest as(String id) {
            SamplerOptions sampling =
                    new SamplerOptions(temperature, 1f, 0, 0f, 0f, 0f, 1f, seed, bias, Map.of(), ignoreEnd);
            PromptRequest prompt = new PromptRequest(new PromptContent.Chat(chat()), images, sampling, salt);
            return new GenerationRequest(id, prompt, maxTokens, stop, topLogprobs, cachePrompt, null);
        }
    }

    public final Model model;
    public final Engine engine;
    private int requests;

    public TinyEngine(String name, int sequences, int batchSize) {
        this(name, sequences, batchSize, Vision::encode);
    }

    public TinyEngine(String name, int sequences, int batchSize, Duration streamInterval) {
        this(name, sequences, batchSize, streamInterval, true, Vision::encode, false, EngineFiles.NONE, 0);
    }

    public TinyEngine(String name, int sequences, int batchSize, Encoder encoder) {
        this(name, sequences, batchSize, Duration.ZERO, true, encoder, false, EngineFiles.NONE, 0);
    }

    /** A model that only reads text. */
    static TinyEngine withoutVision(String name) {
        return new TinyEngine(name, 4, 64, Duration.ZERO, false, Vision::encode, false, EngineFiles.NONE, 0);
    }

    /** Steps and encoding take turns. */
    static TinyEngine inTurns(String name, int sequences, int batchSize) {
        return new TinyEngine(
                name, sequences, batchSize, Duration.ZERO, true, Vision::encode, true, EngineFiles.NONE, 0);
    }

    /** @param draftTokens of a step at most */
    static TinyEngine drafting(String name, int sequences, int draftTokens) {
        return new TinyEngine(
                name,
                sequences,
                64,
                Duration.ZERO,
                true,
                Vision::encode,
                false,
                EngineFiles.NONE,
                0,
                KvType.F32,
                Pooling.NONE,
                draftTokens);
    }

    /** @param files where is kept what later engines find */
    TinyEngine(String name, EngineFiles files) {
        this(name, files, KvType.F32);
    }

    /** @param kv other types than F32 with flash attention, as in workers */
    TinyEngine(String name, EngineFiles files, KvType kv) {
        this(name, 4, 64, Duration.ZERO, true, Vision::encode, false, files, 0, kv, Pooling.NONE, 0);
    }

    /** One that makes embeddings. */
    static TinyEngine pooling(String name, Pooling pooling) {
        return new TinyEngine(
                name, 4, 64, Duration.ZERO, true, Vision::encode, false, EngineFiles.NONE, 0, KvType.F32, pooling, 0);
    }

    /** @param promptCacheBytes of prompts kept beyond the sequences */
    public TinyEngine(String name, int sequences, int batchSize, long promptCacheBytes) {
        this(
                name,
                sequences,
                batchSize,
                Duration.ZERO,
                true,
                Vision::encode,
                false,
                EngineFiles.NONE,
                promptCacheBytes);
    }

    private TinyEngine(
            String name,
            int sequences,
            int batchSize,
            Duration streamInterval,
            boolean withVision,
            Encoder encoder,
            boolean encodesInTurns,
            EngineFiles files,
            long promptCacheBytes) {
        this(
                name,
                sequences,
                batchSize,
                streamInterval,
                withVision,
                encoder,
                encodesInTurns,
                files,
                promptCacheBytes,
                KvType.F32,
                Pooling.NONE,
                0);
    }

    private TinyEngine(
            String name,
            int sequences,
            int batchSize,
            Duration streamInterval,
            boolean withVision,
            Encoder encoder,
            boolean encodesInTurns,
            EngineFiles files,
            long promptCacheBytes,
            KvType kv,
            Pooling pooling,
            int draftTokens) {
        model = model(name);
        Context context = Context.create(
                model,
                new ContextOptions(
                        CONTEXT,
                        batchSize,
                        sequences,
                        1,
                        kv,
                        kv != KvType.F32,
                        pooling == Pooling.MEAN ? batchSize : sequences + draftTokens));
        Vision vision = withVision ? vision(name) : null;
        engine = Engine.start(
                new EngineOptions(
                        sequences,
                        batchSize,
                        0,
                        1 << 20,
                        promptCacheBytes,
                        draftTokens,
                        streamInterval,
                        encodesInTurns,
                        pooling),
                model,
                context,
                ChatTemplates.of(model),
                vision,
                (chunk, listener) -> encoder.encode(vision, chunk, listener),
                files,
                WorkListener.NONE);
    }

    public static Model model(String name) {
        return MODELS.computeIfAbsent(name, n -> Model.load(List.of(file(n))));
    }

    static Path file(String name) {
        return DIRECTORY.resolve(name + "-F16.gguf");
    }

    public static Vision vision(String name) {
        return Vision.open(mmproj(name), model(name), new VisionOptions(1, 0));
    }

    static Path mmproj(String name) {
        return DIRECTORY.resolve("mmproj-" + name + "-F16.gguf");
    }

    /** Noise: another picture for each seed. */
    public static PromptRequest.ImageInput noise(int seed) {
        return noise(seed, 140);
    }

    /** @param side in pixels */
    static PromptRequest.ImageInput noise(int seed, int side) {
        byte[] rgb = new byte[3 * side * side];
        new Random(seed).nextBytes(rgb);
        return new PromptRequest.ImageInput(side, side, "noise-" + seed + "-" + side, rgb);
    }

    public static String user(String text) {
        return "[{\"role\":\"user\",\"content\":\"" + text + "\"}]";
    }

    public static String userWithImages(String text, int images) {
        StringBuilder parts = new StringBuilder();
        for (int i = 0; i < images; i++) {
            parts.append("{\"type\":\"media_marker\"},");
        }
        return "[{\"role\":\"user\",\"content\":[" + parts + "{\"type\":\"text\",\"text\":\"" + text + "\"}]}]";
    }

    public Ask ask(String messages) {
        return new Ask(model, messages);
    }

    public Outcome submit(Ask ask) {
        return submit(ask.as("r" + requests++), event -> {});
    }

    public Outcome submit(GenerationRequest request, Consumer<GenerationEvent> also) {
        Outcome outcome = new Outcome();
        outcome.also = also;
        engine.submit(request, outcome);
        return outcome;
    }

    public Outcome complete(Ask ask) throws Exception {
        return submit(ask).await();
    }

    @Override
    public void close() {
        engine.close();
    }
}
