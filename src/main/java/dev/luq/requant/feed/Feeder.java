package dev.luq.requant.feed;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.FiniteTap;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.llama.Vocabulary;
import dev.luq.llama.WeightScan;
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
 * A model, its projector and a context that examples are evaluated in, one after the other. Where an example begins with
 * the same images as the one before, these are not evaluated again; results are the same as if they were. Owns what it
 * opened; not thread-safe.
 */
public final class Feeder implements AutoCloseable {

    private static final int SEQUENCE = 0;

    private final FeedOptions options;
    private final List<Path> files;
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final Model model;
    private final Vocabulary vocabulary;
    private Context context;
    private TokenBatch batch;
    private final FeedCache cache;
    private final ExamplePrompts prompts;
    /** What the context holds of the latest example: its units up to the end of its last image. */
    private List<PromptUnit> cachedPrefix = List.of();

    private Feeder(List<Path> files, Optional<Path> mmproj, FeedOptions options, FeedCache cache) {
        this.options = options;
        this.files = files;
        this.cache = cache;
        this.model = own(Model.load(files));
        vocabulary = model.vocabulary();
        prompts = own(new ExamplePrompts(model, mmproj, options, cache));
        try {
            begin(options.batchSize());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** With an empty context, for so many tokens at once. */
    private void begin(int size) {
        if (batch != null) {
            owned.pop();
            owned.pop();
            batch.close();
            context.close();
        }
        context = own(Context.create(
                model,
                new ContextOptions(options.contextSize(), size, 1, options.threads(), options.kv(), true, size)));
        context.watch(options.tap().orElse(null));
        batch = own(TokenBatch.create(size));
        cachedPrefix = List.of();
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
            feeder.prompts.open();
            return feeder;
        } catch (RuntimeException e) {
            feeder.close();
            throw e;
        }
    }

    /**
     * The same, with prompts and embeddings of images that are kept beyond this feeder. The projector is opened when
     * one is missing.
     *
     * @param cache of feeders with the same projector, bound of images and vocabulary; not closed by them
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
    public int feed(Example example, FeedListener listener) {
        try (ExamplePrompts.Input input = prompts.of(example)) {
            int[] answer = vocabulary.tokenize(example.answer(), false, false);
            ExampleSequence sequence = new ExampleSequence(input.units(), answer);
            if (sequence.tokens() > options.contextSize()) {
                throw new FeedException.TooLong(example, sequence.tokens(), options.contextSize());
            }
            evaluate(input, sequence, listener);
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
        try (Feeder again = new Feeder(files, prompts.mmproj(), options.with(tap), cache)) {
            again.feed(example, new FeedListener() {});
            return new NonFiniteDiagnosis(tap.found(), damaged(tap.found())).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Of the weights that may be the reason, those that are not finite themselves. */
    private Optional<String> damaged(Optional<FiniteTap.Location> where) throws IOException {
        Optional<Integer> layer = where.flatMap(FiniteTap.Location::layer);
        return WeightScan.firstNonFinite(
                files,
                name -> FiniteTap.Location.layerOf(name).isEmpty()
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
        try (ExamplePrompts.Input input = prompts.of(example)) {
            ExampleSequence question = new ExampleSequence(input.units(), new int[0]);
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

    private void evaluate(ExamplePrompts.Input input, ExampleSequence sequence, FeedListener listener) {
        int atOnce = sequence.mostAtOnce();
        if (atOnce > batch.capacity()) {
            begin(atOnce);
        }
        Cursor cursor = start(sequence);
        cachedPrefix = List.of();
        context.remove(SEQUENCE, cursor.position, -1);
        while (cursor.unit < sequence.units()) {
            if (sequence.unit(cursor.unit) instanceof PromptUnit.Image image) {
                int unit = cursor.unit;
                ImageEmbedding embedding = cache.pinned(image.id(), () -> input.encode(unit));
                try {
                    evaluateImage(sequence, embedding, cursor, listener);
                } finally {
                    cache.unpin(image.id());
                }
            } else {
                evaluateText(sequence, cursor, listener);
            }
        }
        cachedPrefix = sequence.upToLastImage();
    }

    /** Behind the last image of the cached prefix; at the beginning where all of the example is to be seen. */
    private Cursor start(ExampleSequence sequence) {
        Cursor cursor = new Cursor();
        if (options.outputs() == FeedOptions.Outputs.ALL || options.tap().isPresent()) {
            return cursor;
        }
        Cursor end = new Cursor();
        while (end.unit < Math.min(cachedPrefix.size(), sequence.units())
                && cachedPrefix.get(end.unit).equals(sequence.unit(end.unit))
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

    private void evaluateText(ExampleSequence sequence, Cursor cursor, FeedListener listener) {
        batch.clear();
        int first = cursor.unit;
        List<Integer> outputs = new ArrayList<>();
        while (cursor.unit < sequence.units()
                && batch.size() < batch.capacity()
                && sequence.unit(cursor.unit) instanceof PromptUnit.Text text) {
            boolean output = hasOutput(sequence, cursor.unit);
            int index = batch.add(text.token(), cursor.position++, SEQUENCE, output);
            if (output) {
                outputs.add(index);
            }
            cursor.unit++;
        }
        listener.batch(Modality.TEXT, batch.size());
        context.decode(batch);
        for (int index : outputs) {
            visit(sequence, first + index, cursor.tokens + index, index, listener);
        }
        cursor.tokens += batch.size();
    }

    private void evaluateImage(ExampleSequence sequence, ImageEmbedding image, Cursor cursor, FeedListener listener) {
        int most = batch.capacity();
        boolean all = options.outputs() == FeedOptions.Outputs.ALL;
        for (int first = 0; first < image.tokens(); first += most) {
            int count = Math.min(most, image.tokens() - first);
            boolean last = first + count == image.tokens();
            int outputs = all ? count : last && hasOutput(sequence, cursor.unit) ? 1 : 0;
            listener.batch(Modality.IMAGE, count);
            context.decode(image, first, count, cursor.position, SEQUENCE, outputs);
            cursor.tokens += count;
            if (last && outputs > 0) {
                visit(sequence, cursor.unit, cursor.tokens - 1, count - 1, listener);
            }
        }
        cursor.position += image.positions();
        cursor.unit++;
    }

    private boolean hasOutput(ExampleSequence sequence, int unit) {
        return options.outputs() == FeedOptions.Outputs.ALL || sequence.predictsAnswer(unit);
    }

    private void visit(ExampleSequence sequence, int unit, int token, int batchIndex, FeedListener listener) {
        int target = sequence.target(unit, vocabulary.endOfAnswer());
        if (target >= 0) {
            listener.logits(
                    new FeedListener.Prediction(
                            token, target, sequence.predictsAnswer(unit), sequence.hasImageUpTo(unit)),
                    context.logits(batchIndex));
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
