package dev.luq.requant.feed;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.FiniteTap;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.KvType;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.llama.Vision;
import dev.luq.llama.VisionOptions;
import dev.luq.llama.Vocabulary;
import dev.luq.llama.WeightScan;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptRequest;
import dev.luq.prompt.PromptUnit;
import dev.luq.requant.data.Example;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * A model, its projector and a context that examples are evaluated in, one after the other. Results do not depend on what
 * was fed before: of the example before, the context keeps pictures that begin both, whose batches would be the same ones.
 * Owns what it opened; not thread-safe.
 */
public final class Feeder implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SEQUENCE = 0;

    private final FeedOptions options;
    private final List<Path> files;
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final Model model;
    private final Optional<Path> mmproj;
    private final Vocabulary vocabulary;
    private final Context context;
    private final TokenBatch batch;
    private final FeedCache cache;
    /** Made when the first prompt is not in the cache. */
    private PromptBuilder prompts;
    private Vision vision;
    /** What the context holds beyond doubt: units up to the end of a picture. */
    private List<PromptUnit> held = List.of();

    private Feeder(List<Path> files, Optional<Path> mmproj, FeedOptions options, FeedCache cache) {
        this.options = options;
        this.files = files;
        this.cache = cache;
        this.mmproj = mmproj;
        this.model = own(Model.load(files));
        vocabulary = model.vocabulary();
        try {
            int size = options.batchSize();
            context = own(Context.create(model, new ContextOptions(options.contextSize(), size, 1, options.threads(), KvType.F16, true, size)));
            context.watch(options.tap().orElse(null));
            batch = own(TokenBatch.create(size));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Loads a model. {@link dev.luq.llama.Llama#init} must have been called.
     *
     * @param model the GGUF, or its split files in order
     * @param mmproj its projector; without one only text can be fed
     * @throws dev.luq.llama.LlamaException the files are no model and projector that belong together
     */
    public static Feeder open(List<Path> model, Optional<Path> mmproj, FeedOptions options) {
        Feeder feeder = open(model, mmproj, options, new FeedCache(0));
        try {
            feeder.prompts();
            return feeder;
        } catch (RuntimeException e) {
            feeder.close();
            throw e;
        }
    }

    /**
     * The same, with prompts and embeddings of pictures that are kept beyond this feeder. The projector is opened when
     * one is missing.
     *
     * @param cache of feeders with the same projector, bound of pictures and vocabulary; not closed by them
     */
    public static Feeder open(List<Path> model, Optional<Path> mmproj, FeedOptions options, FeedCache cache) {
        return new Feeder(model, mmproj, options, cache);
    }

    private <T extends AutoCloseable> T own(T resource) {
        owned.push(resource);
        return resource;
    }

    /**
     * Evaluates an example with its answer.
     *
     * @return tokens evaluated
     * @throws FeedException the example does not fit or cannot be used; nothing was evaluated
     */
    public int feed(Example example, FeedListener visitor) {
        try (Input input = new Input(example)) {
            int[] answer = vocabulary.tokenize(example.answer(), false, false);
            ExampleSequence sequence = new ExampleSequence(input.units, answer);
            if (sequence.tokens() > options.contextSize()) {
                throw new FeedException.TooLong(example, sequence.tokens(), options.contextSize());
            }
            evaluate(input, sequence, visitor);
            return sequence.tokens();
        }
    }

    /**
     * Evaluates an example once more, to find out where numbers begin that are not finite.
     *
     * @param example with which the model computed such numbers
     * @return what is to be told about it, for people
     */
    public String notFinite(Example example) {
        FiniteTap tap = new FiniteTap();
        FeedOptions watched = new FeedOptions(options.contextSize(), options.batchSize(), options.threads(),
                options.imageTokens(), options.outputs(), Optional.of(tap));
        try (Feeder again = new Feeder(files, mmproj, watched, cache)) {
            again.feed(example, new FeedListener() { });
            return new NonFiniteDiagnosis(tap.found(), damaged(tap.found())).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of the weights that may be the reason, those that are not finite themselves. */
    private Optional<String> damaged(Optional<FiniteTap.Location> where) throws IOException {
        Optional<Integer> layer = where.flatMap(FiniteTap.Location::layer);
        return WeightScan.firstNonFinite(files, name -> FiniteTap.Location.layerOf(name).isEmpty()
                || layer.isPresent() && FiniteTap.Location.layerOf(name).equals(layer));
    }

    /** Whether a token ends an answer. */
    public boolean isEnd(int token) {
        return vocabulary.isEndOfGeneration(token);
    }

    /** The text of tokens; a character that is not whole yet at the end is the replacement character. */
    public String text(List<Integer> tokens) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        tokens.forEach(token -> text.writeBytes(vocabulary.piece(token, false)));
        return text.toString(UTF_8);
    }

    /**
     * Lets the model answer an example's question, always with the likeliest token.
     *
     * @param maxTokens tokens of the answer at most
     * @return the answer's text without white space around it
     * @throws FeedException the question does not fit or cannot be used
     */
    public String answer(Example example, int maxTokens) {
        try (Input input = new Input(example)) {
            ExampleSequence question = new ExampleSequence(input.units, new int[0]);
            int room = options.contextSize() - question.tokens();
            if (room < 1) {
                throw new FeedException.TooLong(example, question.tokens(), options.contextSize());
            }
            int[] next = new int[1];
            evaluate(input, question, new FeedListener() {
                @Override
                public void logits(Prediction prediction, FloatBuffer logits) {
                    next[0] = likeliest(logits);
                }
            });
            List<Integer> answer = new ArrayList<>();
            int position = question.positions();
            for (int n = 0; n < Math.min(room, maxTokens) && !vocabulary.isEndOfGeneration(next[0]); n++) {
                answer.add(next[0]);
                batch.clear();
                int index = batch.add(next[0], position++, SEQUENCE, true);
                context.decode(batch);
                next[0] = likeliest(context.logits(index));
            }
            return text(answer).strip();
        }
    }

    private static int likeliest(FloatBuffer logits) {
        int best = 0;
        for (int i = 1; i < logits.limit(); i++) {
            if (logits.get(i) > logits.get(best)) {
                best = i;
            }
        }
        return best;
    }

    /** An example's prompt, and its preprocessed pictures once one of them has to be encoded. */
    private final class Input implements AutoCloseable {
        final Example example;
        final List<PromptUnit> units;
        private PromptBuilder.Prepared prepared;

        Input(Example example) {
            this.example = example;
            Optional<List<PromptUnit>> known = cache.prompt(example);
            if (known.isEmpty()) {
                prepared = prepare(example);
                cache.put(example, prepared.prompt().units());
            }
            units = known.orElseGet(() -> prepared.prompt().units());
        }

        ImageEmbedding encode(int unit) {
            if (prepared == null) {
                prepared = prepare(example);
            }
            ImageEmbedding embedding = vision.encode(prepared.images().get(unit));
            if (!FiniteNumbers.areFinite(embedding.data())) {
                embedding.close();
                throw new FeedException.Unusable(example, "the projector computes numbers for its pictures that are not"
                        + " finite, with llama.cpp's kernels.", null);
            }
            return embedding;
        }

        @Override
        public void close() {
            if (prepared != null) {
                prepared.close();
            }
        }
    }

    private PromptBuilder prompts() {
        if (prompts == null) {
            vision = mmproj.isEmpty() ? null
                    : own(Vision.open(mmproj.get(), model, new VisionOptions(options.threads(), options.imageTokens())));
            prompts = new PromptBuilder(model, own(ChatTemplates.of(model)), vision);
        }
        return prompts;
    }

    private PromptBuilder.Prepared prepare(Example example) {
        ArrayNode messages = JSON.createArrayNode();
        ArrayNode content = messages.addObject().put("role", "user").putArray("content");
        for (int i = 0; i < example.images().size(); i++) {
            content.addObject().put("type", "image").put("image", i);
        }
        content.addObject().put("type", "text").put("text", example.question());
        try {
            return prompts().build(PromptRequest.of(messages.toString(), ExampleImages.read(example)));
        } catch (PromptException e) {
            throw new FeedException.Unusable(example, e.getMessage(), e);
        }
    }

    private void evaluate(Input input, ExampleSequence sequence, FeedListener visitor) {
        Cursor cursor = start(sequence);
        held = List.of();
        context.remove(SEQUENCE, cursor.position, -1);
        while (cursor.unit < sequence.units()) {
            if (sequence.unit(cursor.unit) instanceof PromptUnit.Image image) {
                int unit = cursor.unit;
                ImageEmbedding embedding = cache.pinned(image.id(), () -> input.encode(unit));
                try {
                    if (!embedding.divisible() && embedding.tokens() > options.batchSize()) {
                        throw new FeedException.Unusable(input.example, "the picture's " + embedding.tokens() + " tokens must"
                                + " be evaluated at once; use a smaller picture or a larger batch.", null);
                    }
                    evaluateImage(sequence, embedding, cursor, visitor);
                } finally {
                    cache.unpin(image.id());
                }
            } else {
                evaluateText(sequence, cursor, visitor);
            }
        }
        held = sequence.upToLastImage();
    }

    /** Behind the last picture that the context holds already, unless somebody wants to see what comes before. */
    private Cursor start(ExampleSequence sequence) {
        Cursor cursor = new Cursor();
        if (options.outputs() == FeedOptions.Outputs.ALL || options.tap().isPresent()) {
            return cursor;
        }
        Cursor end = new Cursor();
        while (end.unit < Math.min(held.size(), sequence.units()) && held.get(end.unit).equals(sequence.unit(end.unit))
                && !hasOutput(sequence, end.unit)) {
            PromptUnit unit = sequence.unit(end.unit++);
            end.tokens += unit.cells();
            end.position += unit.positions();
            if (unit instanceof PromptUnit.Image) {
                cursor.unit = end.unit;
                cursor.tokens = end.tokens;
                cursor.position = end.position;
            }
        }
        return cursor;
    }

    private void evaluateText(ExampleSequence sequence, Cursor cursor, FeedListener visitor) {
        batch.clear();
        int first = cursor.unit;
        List<Integer> outputs = new ArrayList<>();
        while (cursor.unit < sequence.units() && batch.size() < batch.capacity()
                && sequence.unit(cursor.unit) instanceof PromptUnit.Text text) {
            boolean output = hasOutput(sequence, cursor.unit);
            int index = batch.add(text.token(), cursor.position++, SEQUENCE, output);
            if (output) {
                outputs.add(index);
            }
            cursor.unit++;
        }
        visitor.batch(Modality.TEXT, batch.size());
        context.decode(batch);
        for (int index : outputs) {
            visit(sequence, first + index, cursor.tokens + index, index, visitor);
        }
        cursor.tokens += batch.size();
    }

    private void evaluateImage(ExampleSequence sequence, ImageEmbedding image, Cursor cursor, FeedListener visitor) {
        int most = options.batchSize();
        boolean all = options.outputs() == FeedOptions.Outputs.ALL;
        for (int first = 0; first < image.tokens(); first += most) {
            int count = Math.min(most, image.tokens() - first);
            boolean last = first + count == image.tokens();
            int outputs = all ? count : last && hasOutput(sequence, cursor.unit) ? 1 : 0;
            visitor.batch(Modality.IMAGE, count);
            context.decode(image, first, count, cursor.position, SEQUENCE, outputs);
            cursor.tokens += count;
            if (last && outputs > 0) {
                visit(sequence, cursor.unit, cursor.tokens - 1, count - 1, visitor);
            }
        }
        cursor.position += image.positions();
        cursor.unit++;
    }

    private boolean hasOutput(ExampleSequence sequence, int unit) {
        return options.outputs() == FeedOptions.Outputs.ALL || sequence.predictsAnswer(unit);
    }

    private void visit(ExampleSequence sequence, int unit, int token, int batchIndex, FeedListener visitor) {
        int target = sequence.target(unit, vocabulary.endOfAnswer());
        if (target >= 0) {
            visitor.logits(new FeedListener.Prediction(token, target, sequence.predictsAnswer(unit),
                    sequence.hasImageUpTo(unit)), context.logits(batchIndex));
        }
    }

    @Override
    public void close() {
        while (!owned.isEmpty()) {
            try {
                owned.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** How far an example is evaluated. */
    private static final class Cursor {
        int unit;
        int tokens;
        int position;
    }
}
