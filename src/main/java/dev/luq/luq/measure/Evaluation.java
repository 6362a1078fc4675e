package dev.luq.luq.measure;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.luq.data.Dataset;
import dev.luq.luq.data.Example;
import dev.luq.luq.feed.FeedException;
import dev.luq.luq.feed.Feeder;
import dev.luq.luq.feed.Modality;
import dev.luq.luq.feed.Visitor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/**
 * Compares models with their base on a data set. Each example is fed with its right answer; what is compared are the
 * distributions of the answer's tokens and of its end. The base model is fed once, its outputs are kept on disk.
 *
 * <p>An answer matches exactly when the model's own answer, generated with the likeliest token each time, equals the
 * right one after white space around both is taken away. Nothing else is normalised: case and punctuation count. Where
 * the likeliest token is the right one at every position, generation would give the right answer and is left out.
 */
public final class Evaluation {

    /** Category of examples that have none. */
    public static final String OTHER = "other";

    private final Dataset set;
    private final Path baseOutputs;

    /** Hears of the progress and can end the measurement. */
    public interface Watcher {

        /** @param share of the work done, 0 to 1 */
        void progress(double share);

        /** Asked before each batch of tokens. */
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
     * @throws dev.luq.luq.feed.FeedException.Unusable an example cannot be fed
     * @throws MeasureException the outputs are no distributions, or the watcher ended it; nothing is kept
     * @throws UncheckedIOException the outputs cannot be written
     */
    public void recordBase(Feeder base, Watcher watcher) {
        try (BaseOutputs.Writer writer = new BaseOutputs.Writer(baseOutputs)) {
            each(watcher, (index, example) -> base.feed(example, new Visitor() {
                @Override
                public void batch(Modality modality, int tokens) {
                    check(watcher);
                }

                @Override
                public void logits(Prediction prediction, FloatBuffer logits) {
                    if (prediction.answer()) {
                        writer.add(index, prediction.target(), LogProbabilities.of(logits));
                    }
                }
            }));
            writer.commit();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Measures a model.
     *
     * @param exactMatch whether it answers the questions too
     * @throws dev.luq.luq.feed.FeedException.Unusable an example cannot be fed
     * @throws MeasureException there are no base outputs, they do not fit, the model's outputs are no distributions, or
     *         the watcher ended it
     */
    public Quality run(Feeder model, boolean exactMatch, Watcher watcher) {
        Sums image = new Sums();
        Sums text = new Sums();
        Map<String, Score> scores = new TreeMap<>();
        int skipped;
        try (BaseOutputs.Reader reader = new BaseOutputs.Reader(baseOutputs)) {
            skipped = each(watcher, (index, example) -> {
                Comparison comparison = new Comparison(reader, index, image, text, watcher);
                model.feed(example, comparison);
                if (exactMatch) {
                    boolean right = comparison.allRight || example.answer().strip().equals(
                            model.answer(example, longestAnswer(example)));
                    scores.merge(example.category().orElse(OTHER), new Score(0, 0).plus(right),
                            (a, b) -> new Score(a.right() + b.right(), a.asked() + b.asked()));
                }
            });
            if (reader.hasNext()) {
                throw new MeasureException.BadBaseOutputs("they are of a larger set", null);
            }
        }
        return new Quality(Sums.agreement(List.of(image, text)), Sums.agreement(List.of(image)),
                Sums.agreement(List.of(text)), scores, skipped);
    }

    /** A token stands for a byte or more; the end of the answer and white space around it take a few. */
    private static int longestAnswer(Example example) {
        return example.answer().getBytes(UTF_8).length + 4;
    }

    /** What is done with each example. */
    private interface Work {
        void accept(int index, Example example);
    }

    /** @return examples that were too long, by their number of tokens: the same ones for every model of a base */
    private int each(Watcher watcher, Work work) {
        int count = set.examples().size();
        int skipped = 0;
        for (int i = 0; i < count; i++) {
            check(watcher);
            try {
                work.accept(i, set.examples().get(i));
            } catch (FeedException.TooLong e) {
                skipped++;
            }
            watcher.progress((i + 1.0) / count);
        }
        return skipped;
    }

    private static void check(Watcher watcher) {
        if (watcher.cancelled()) {
            throw new MeasureException.Cancelled();
        }
    }

    /** Compares the positions of one example with the base's, in order. */
    private static final class Comparison implements Visitor {
        private final BaseOutputs.Reader reader;
        private final int example;
        private final Sums image;
        private final Sums text;
        private final Watcher watcher;
        private boolean allRight = true;

        Comparison(BaseOutputs.Reader reader, int example, Sums image, Sums text, Watcher watcher) {
            this.reader = reader;
            this.example = example;
            this.image = image;
            this.text = text;
            this.watcher = watcher;
        }

        @Override
        public void batch(Modality modality, int tokens) {
            check(watcher);
        }

        @Override
        public void logits(Prediction prediction, FloatBuffer logits) {
            if (!prediction.answer()) {
                return;
            }
            if (!reader.hasNext()) {
                throw new MeasureException.BadBaseOutputs("they are of a smaller set", null);
            }
            BaseOutput base = reader.next();
            if (base.example() != example || base.target() != prediction.target()) {
                throw new MeasureException.Incomparable("their tokens differ");
            }
            LogProbabilities model = LogProbabilities.of(logits);
            (prediction.afterImage() ? image : text).add(base.divergence(model), base.best() == model.best());
            allRight &= model.best() == prediction.target();
        }
    }

    /** Divergences of the positions so far. */
    private static final class Sums {
        private final DoubleStream.Builder divergences = DoubleStream.builder();
        private double[] built;
        private int same;

        void add(double divergence, boolean sameBest) {
            divergences.add(divergence);
            same += sameBest ? 1 : 0;
        }

        private double[] divergences() {
            if (built == null) {
                built = divergences.build().toArray();
            }
            return built;
        }

        static Agreement agreement(List<Sums> parts) {
            return Agreement.of(parts.stream().flatMapToDouble(part -> DoubleStream.of(part.divergences())).toArray(),
                    parts.stream().mapToInt(part -> part.same).sum());
        }
    }
}
