package dev.luq.requant.measure;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.feed.FeedException;
import dev.luq.requant.feed.FeedListener;
import dev.luq.requant.feed.Feeder;
import dev.luq.requant.feed.Modality;
import dev.luq.requant.lanes.Lanes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;

/**
 * Compares models with their base on a data set. Each example is fed with its right answer; what is compared are the
 * distributions of the answer's tokens and of its end. The base model is fed once, its outputs are kept on disk.
 *
 * <p>An answer matches exactly when the model's own answer, generated with the likeliest token each time, equals the
 * right one after white space around both is taken away. Nothing else is normalised: case and punctuation count. Where
 * the likeliest token is the right one at every position, generation would give the right answer and is left out; so it
 * is where the first likeliest token that is another one already begins another text.
 *
 * <p>Examples are fed side by side to several instances of one model. Results do not depend on how many there are.
 */
public final class Evaluation {

    /** Category of examples that have none. */
    public static final String OTHER = "other";

    private static final String REPLACEMENT = "\uFFFD";

    /**
     * Tokens of answers that are compared in one go, at most, as far as their bytes tell: what the base model put out for
     * them is in memory, up to 32 KiB for each.
     */
    private static final int GROUP_TOKENS = 2048;

    private final Dataset set;
    private final Path baseOutputs;

    /** Hears of the progress and can end the measurement. */
    public interface Listener {

        /**
         * Called on the thread that measures.
         *
         * @param share of the work done, 0 to 1
         */
        void evaluated(double share);

        /** Asked before each batch of tokens, by the threads of all lanes. */
        boolean cancelled();
    }

    /**
     * @param set what is asked
     * @param baseOutputs where the base model's outputs for exactly this set are or will be kept
     */
    public Evaluation(Dataset set, Path baseOutputs) {
        this.set = set;
        this.baseOutputs = baseOutputs;
    }

    /** Whether the base model's outputs are there. */
    public boolean hasBase() {
        return Files.exists(baseOutputs);
    }

    /**
     * Feeds the base model and keeps its outputs.
     *
     * @param base instances of it, at least one; used by a thread each
     * @throws dev.luq.requant.feed.FeedException.Unusable an example cannot be fed
     * @throws MeasureException the outputs are no distributions, or the listener or an interrupt ended it; nothing is kept
     * @throws UncheckedIOException the outputs cannot be written
     */
    public void recordBase(List<Feeder> base, Listener listener) {
        try (BaseOutputs.Writer writer = new BaseOutputs.Writer(baseOutputs)) {
            Map<Integer, List<Output>> done = new TreeMap<>();
            int[] written = {0};
            each(base, listener, index -> null, (feeder, question) -> {
                List<Output> outputs = new ArrayList<>();
                try {
                    feeder.feed(question.example, new FeedListener() {
                        @Override
                        public void batch(Modality modality, int tokens) {
                            check(listener);
                        }

                        @Override
                        public void logits(Prediction prediction, FloatBuffer logits) {
                            if (prediction.answer()) {
                                outputs.add(
                                        Output.of(question.index, prediction.target(), LogProbabilities.of(logits)));
                            }
                        }
                    });
                } catch (FeedException.TooLong e) {
                    // nothing was evaluated: skipped
                }
                synchronized (done) {
                    done.put(question.index, outputs);
                    for (List<Output> next = done.remove(written[0]); next != null; next = done.remove(++written[0])) {
                        next.forEach(output -> writer.add(output.vocabulary, output.kept));
                    }
                }
            });
            writer.commit();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The base model's at one position. Others may be far ahead of the lane whose example is written next: of a large
     * vocabulary only what is written waits for it.
     *
     * @param vocabulary its tokens
     */
    private record Output(int vocabulary, BaseOutput kept) {

        static Output of(int example, int target, LogProbabilities logs) {
            return new Output(logs.size(), BaseOutput.of(example, target, logs, BaseOutputs.kept(logs.size())));
        }
    }

    /**
     * Measures a model.
     *
     * @param model instances of it, at least one; used by a thread each
     * @param exactMatch whether it answers the questions too
     * @throws dev.luq.requant.feed.FeedException.Unusable an example cannot be fed
     * @throws MeasureException.NothingFits no example is short enough
     * @throws MeasureException there are no base outputs, they do not fit, the model's outputs are no distributions, or
     *         the listener or an interrupt ended it
     */
    public Quality run(List<Feeder> model, boolean exactMatch, Listener listener) {
        ExampleComparison[] comparisons = new ExampleComparison[set.examples().size()];
        try (BaseOutputs.Reader reader = new BaseOutputs.Reader(baseOutputs)) {
            each(model, listener, reader::of, (feeder, question) -> {
                ExampleComparison comparison = new ExampleComparison(question.base, listener);
                try {
                    feeder.feed(question.example, comparison);
                    comparison.end();
                    comparison.right = exactMatch && comparison.isRight(feeder, question.example);
                } catch (FeedException.TooLong e) {
                    comparison.skipped = true;
                    comparison.end();
                }
                comparisons[question.index] = comparison;
            });
            if (reader.hasNext()) {
                throw new MeasureException.BadBaseOutputs("they are of a larger set", null);
            }
        }
        if (Arrays.stream(comparisons).allMatch(comparison -> comparison.skipped)) {
            throw new MeasureException.NothingFits(comparisons.length);
        }
        return quality(comparisons, exactMatch);
    }

    private Quality quality(ExampleComparison[] comparisons, boolean exactMatch) {
        Sums image = new Sums();
        Sums text = new Sums();
        Map<String, Score> scores = new TreeMap<>();
        int skipped = 0;
        for (int i = 0; i < comparisons.length; i++) {
            image.add(comparisons[i].image);
            text.add(comparisons[i].text);
            if (comparisons[i].skipped) {
                skipped++;
            } else if (exactMatch) {
                scores.merge(
                        set.examples().get(i).category().orElse(OTHER),
                        new Score(0, 0).plus(comparisons[i].right),
                        (a, b) -> new Score(a.right() + b.right(), a.asked() + b.asked()));
            }
        }
        return new Quality(
                Sums.agreement(List.of(image, text)),
                Sums.agreement(List.of(image)),
                Sums.agreement(List.of(text)),
                scores,
                skipped);
    }

    /** A token stands for a byte or more; the end of the answer and white space around it take a few. */
    private static int longestAnswer(Example example) {
        return example.answer().getBytes(UTF_8).length + 4;
    }

    /**
     * An example on its way.
     *
     * @param base what is known of its answer, from the base model
     */
    private record Question(int index, Example example, List<BaseOutput> base) {}

    /** Lanes take some questions about the same images together: the images are evaluated once for them. */
    private void each(
            List<Feeder> lanes,
            Listener listener,
            IntFunction<List<BaseOutput>> base,
            Lanes.Work<Feeder, Question> work) {
        List<Example> examples = set.examples();
        AtomicInteger done = new AtomicInteger();
        Iterator<List<Question>> groups = new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < examples.size();
            }

            @Override
            public List<Question> next() {
                List<Path> images = examples.get(next).images();
                List<Question> group = new ArrayList<>();
                int tokens = 0;
                do {
                    tokens += longestAnswer(examples.get(next));
                    group.add(new Question(next, examples.get(next), base.apply(next)));
                    next++;
                } while (next < examples.size()
                        && !images.isEmpty()
                        && examples.get(next).images().equals(images)
                        && tokens + longestAnswer(examples.get(next)) <= GROUP_TOKENS);
                return group;
            }
        };
        try {
            Lanes.run(lanes, groups, (lane, group) -> {
                for (Question question : group) {
                    check(listener);
                    try {
                        work.accept(lane, question);
                    } catch (MeasureException.Undefined e) {
                        throw new MeasureException.Undefined(lane.notFinite(question.example));
                    }
                    int count = done.incrementAndGet();
                    if (lane == lanes.get(0)) {
                        listener.evaluated((double) count / examples.size());
                    }
                }
            });
            listener.evaluated(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeasureException.Cancelled();
        }
    }

    private static void check(Listener listener) {
        if (listener.cancelled() || Thread.currentThread().isInterrupted()) {
            throw new MeasureException.Cancelled();
        }
    }

    /** Compares the positions of one example with the base's, in order. */
    private static final class ExampleComparison implements FeedListener {
        /** Until the end: those of all examples would not fit into memory. */
        private Iterator<BaseOutput> base;

        private final Listener listener;
        private final Sums image = new Sums();
        private final Sums text = new Sums();
        /** Likeliest tokens up to the first one that is not the answer's. */
        private final List<Integer> answer = new ArrayList<>();

        private boolean allRight = true;
        private boolean right;
        private boolean skipped;

        ExampleComparison(List<BaseOutput> base, Listener listener) {
            this.base = base.iterator();
            this.listener = listener;
        }

        @Override
        public void batch(Modality modality, int tokens) {
            check(listener);
        }

        @Override
        public void logits(Prediction prediction, FloatBuffer logits) {
            if (!prediction.answer()) {
                return;
            }
            BaseOutput output = base.hasNext() ? base.next() : null;
            if (output == null && answer.isEmpty()) {
                throw new MeasureException.BadBaseOutputs("they are of a smaller set", null);
            }
            if (output == null || output.target() != prediction.target()) {
                throw new MeasureException.Incomparable("their tokens differ");
            }
            LogProbabilities model = LogProbabilities.of(logits);
            (prediction.afterImage() ? image : text).add(output.divergence(model), output.best() == model.best());
            if (allRight) {
                answer.add(model.best());
            }
            allRight &= model.best() == prediction.target();
        }

        void end() {
            if (base.hasNext()) {
                throw new MeasureException.Incomparable("their tokens differ");
            }
            base = Collections.emptyIterator();
        }

        boolean isRight(Feeder model, Example example) {
            String wanted = example.answer().strip();
            return allRight || begins(wanted, model) && wanted.equals(model.answer(example, longestAnswer(example)));
        }

        /** Whether the model's own answer begins like the wanted one. */
        private boolean begins(String wanted, Feeder model) {
            int last = answer.size() - 1;
            boolean ended = model.isEnd(answer.get(last));
            String text = model.text(ended ? answer.subList(0, last) : answer).strip();
            // what may be half a character proves nothing
            int end = text.endsWith(REPLACEMENT) ? text.indexOf(REPLACEMENT) : text.length();
            return ended ? text.equals(wanted) : wanted.startsWith(text.substring(0, end));
        }
    }

    /** Divergences of positions. */
    private static final class Sums {
        private final List<Double> divergences = new ArrayList<>();
        private int same;

        void add(double divergence, boolean sameBest) {
            divergences.add(divergence);
            same += sameBest ? 1 : 0;
        }

        void add(Sums more) {
            divergences.addAll(more.divergences);
            same += more.same;
        }

        static Agreement agreement(List<Sums> parts) {
            return Agreement.of(
                    parts.stream()
                            .flatMap(part -> part.divergences.stream())
                            .mapToDouble(d -> d)
                            .toArray(),
                    parts.stream().mapToInt(part -> part.same).sum());
        }
    }
}
