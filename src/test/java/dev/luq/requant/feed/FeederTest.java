package dev.luq.requant.feed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.GraphTensor;
import dev.luq.llama.Llama;
import dev.luq.llama.TensorTap;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class FeederTest {

    private static final Path REFERENCE = Path.of("src/test/resources/reference");
    private static final Path DEMO = Path.of("models/demo");
    private static final String LLAVA = "llava-tiny";
    private static final String QWEN = "qwen2.5-vl-tiny";

    @TempDir
    Path folder;

    @BeforeAll
    static void loadLibraries() {
        Llama.init(line -> {});
    }

    private static Feeder tiny(
            String name, int contextSize, int batchSize, FeedOptions.Outputs outputs, TensorTap tap) {
        return Feeder.open(
                List.of(REFERENCE.resolve(name + "-F16.gguf")),
                Optional.of(REFERENCE.resolve("mmproj-" + name + "-F16.gguf")),
                new FeedOptions(contextSize, batchSize, 1, 0, outputs, Optional.ofNullable(tap)));
    }

    private static Example text() {
        return new Example("set.jsonl", 1, List.of(), "What colour is it?", "It is green.", Optional.empty());
    }

    private static Example picture(Path... images) {
        return new Example("set.jsonl", 2, List.of(images), "What is this?", "A square.", Optional.empty());
    }

    /** Remembers everything it sees. */
    private static final class Memory implements FeedListener {
        final List<Modality> tokens = new ArrayList<>();
        final List<Integer> batches = new ArrayList<>();
        final List<Prediction> predictions = new ArrayList<>();
        final List<float[]> logits = new ArrayList<>();

        @Override
        public void batch(Modality modality, int count) {
            batches.add(count);
            for (int i = 0; i < count; i++) {
                tokens.add(modality);
            }
        }

        @Override
        public void logits(Prediction prediction, FloatBuffer buffer) {
            predictions.add(prediction);
            float[] copy = new float[buffer.remaining()];
            buffer.get(copy);
            logits.add(copy);
        }
    }

    /** The demo model answers its examples as when it is served; fed its own words, it predicts every one of them. */
    @Test
    void theDemoModelAnswersAsItDoesWhenServedAndPredictsItsOwnAnswers() {
        try (Feeder feeder = Feeder.open(
                List.of(DEMO.resolve("luq-demo-F16.gguf")),
                Optional.of(DEMO.resolve("mmproj-luq-demo-F16.gguf")),
                new FeedOptions(512, 64, 0, 0, FeedOptions.Outputs.ANSWER, Optional.empty()))) {
            for (Example example : Dataset.read(DEMO.resolve("examples")).examples()) {
                assertEquals(example.answer(), feeder.answer(example, 64));
                assertTrue(example.answer().startsWith(feeder.answer(example, 1)));
                Memory memory = new Memory();
                feeder.feed(example, memory);
                for (int i = 0; i < memory.predictions.size(); i++) {
                    FeedListener.Prediction prediction = memory.predictions.get(i);
                    float predicted = memory.logits.get(i)[prediction.target()];
                    for (float logit : memory.logits.get(i)) {
                        assertTrue(logit <= predicted, example.id());
                    }
                    assertTrue(prediction.answer());
                    assertEquals(!example.images().isEmpty(), prediction.afterImage());
                }
            }
        }
    }

    /** As with Gemma 3, whose pictures take 256 tokens. */
    @ParameterizedTest
    @EnumSource
    void aPictureThatMustBeEvaluatedAtOnceMayBeLargerThanABatch(FeedOptions.Outputs outputs) throws IOException {
        Path model = REFERENCE.resolve(LLAVA + "-F16.gguf");
        long width =
                ModelFiles.read(model).first().integer("llama.embedding_length").orElseThrow();
        Path mmproj = Gemma3Projector.write(folder.resolve("mmproj.gguf"), width);
        Example example = picture(REFERENCE.resolve("square-140x140.png"));
        Map<Integer, Memory> found = new TreeMap<>();
        for (int batchSize : new int[] {7, 512}) {
            try (Feeder feeder = Feeder.open(
                    List.of(model),
                    Optional.of(mmproj),
                    new FeedOptions(512, batchSize, 1, 0, outputs, Optional.empty()))) {
                feeder.feed(text(), new Memory());
                for (int time = 0; time < 2; time++) {
                    found.put(batchSize, new Memory());
                    feeder.feed(example, found.get(batchSize));
                }
            }
        }
        assertTrue(
                found.get(7).batches.contains(Gemma3Projector.TOKENS),
                found.get(7).batches.toString());
        assertEquals(found.get(512).predictions, found.get(7).predictions);
        for (int i = 0; i < found.get(7).logits.size(); i++) {
            assertArrayEquals(found.get(512).logits.get(i), found.get(7).logits.get(i), 0.05f);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void whatIsPredictedDoesNotDependOnBatchesOutputsOrWhatCameBefore(String name) {
        Example example = picture(REFERENCE.resolve("square-140x140.png"));
        Memory answer = new Memory();
        Memory all = new Memory();
        try (Feeder feeder = tiny(name, 512, 512, FeedOptions.Outputs.ANSWER, null)) {
            feeder.feed(text(), new Memory());
            feeder.feed(example, answer);
        }
        int tokens;
        try (Feeder feeder = tiny(name, 512, 7, FeedOptions.Outputs.ALL, null)) {
            tokens = feeder.feed(example, all);
        }
        assertEquals(tokens, all.tokens.size());
        assertTrue(all.batches.stream().allMatch(count -> count <= 7));
        List<FeedListener.Prediction> ofAnswer =
                all.predictions.stream().filter(FeedListener.Prediction::answer).toList();
        assertEquals(answer.predictions, ofAnswer);
        assertTrue(all.predictions.size() > ofAnswer.size());
        for (int i = 0; i < ofAnswer.size(); i++) {
            assertArrayEquals(answer.logits.get(i), all.logits.get(all.predictions.indexOf(ofAnswer.get(i))), 2e-3f);
        }
        FeedListener.Prediction last = ofAnswer.get(ofAnswer.size() - 1);
        assertEquals(tokens - 1, last.index());
    }

    /** The same bits: what stays in the context was computed in the batches that a fresh context would see. */
    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void aPictureThatBeginsTwoExamplesInARowIsEvaluatedOnce(String name) {
        Path one = REFERENCE.resolve("square-140x140.png");
        Path other = REFERENCE.resolve("square-70x70.png");
        List<Example> examples = List.of(
                picture(one),
                asked("Which?", one),
                asked("Which?", one, other),
                asked("And now?", one, other),
                picture(other),
                text(),
                asked("What else is there?", other));
        List<Boolean> again = List.of(false, true, false, true, false, false, false);
        try (FeedCache cache = new FeedCache(1 << 20);
                Feeder feeder = cached(name, cache)) {
            for (int i = 0; i < examples.size(); i++) {
                Memory fresh = new Memory();
                try (Feeder alone = tiny(name, 512, 64, FeedOptions.Outputs.ANSWER, null)) {
                    alone.feed(examples.get(i), fresh);
                }
                Memory reused = new Memory();
                assertEquals(fresh.tokens.size(), feeder.feed(examples.get(i), reused));
                assertEquals(fresh.predictions, reused.predictions);
                for (int j = 0; j < fresh.logits.size(); j++) {
                    assertArrayEquals(
                            fresh.logits.get(j),
                            reused.logits.get(j),
                            examples.get(i).question());
                }
                assertEquals(
                        again.get(i),
                        fresh.tokens.contains(Modality.IMAGE) && !reused.tokens.contains(Modality.IMAGE),
                        examples.get(i).question() + i);
            }
        }
    }

    @Test
    void promptsAndPicturesAreSharedByFeeders() {
        Example example = picture(REFERENCE.resolve("square-140x140.png"));
        Memory first = new Memory();
        Memory second = new Memory();
        try (FeedCache cache = new FeedCache(1 << 20)) {
            try (Feeder feeder = cached(QWEN, cache)) {
                feeder.feed(example, first);
            }
            // Without a projector it cannot read pictures of its own.
            try (Feeder feeder = Feeder.open(
                    List.of(REFERENCE.resolve(QWEN + "-F16.gguf")),
                    Optional.empty(),
                    new FeedOptions(512, 64, 1, 0, FeedOptions.Outputs.ANSWER, Optional.empty()),
                    cache)) {
                feeder.feed(example, second);
            }
        }
        for (int i = 0; i < first.logits.size(); i++) {
            assertArrayEquals(first.logits.get(i), second.logits.get(i));
        }
    }

    private static Feeder cached(String name, FeedCache cache) {
        return Feeder.open(
                List.of(REFERENCE.resolve(name + "-F16.gguf")),
                Optional.of(REFERENCE.resolve("mmproj-" + name + "-F16.gguf")),
                new FeedOptions(512, 64, 1, 0, FeedOptions.Outputs.ANSWER, Optional.empty()),
                cache);
    }

    private static Example asked(String question, Path... images) {
        return new Example("set.jsonl", 3, List.of(images), question, "It is round.", Optional.empty());
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void picturesAreTokensOfTheirOwnKindInTheirPlace(String name) {
        Memory memory = new Memory();
        try (Feeder feeder = tiny(name, 512, 64, FeedOptions.Outputs.ALL, null)) {
            feeder.feed(picture(REFERENCE.resolve("square-140x140.png")), memory);
        }
        int first = memory.tokens.indexOf(Modality.IMAGE);
        int last = memory.tokens.lastIndexOf(Modality.IMAGE);
        assertTrue(first > 0 && last < memory.tokens.size() - 1);
        assertFalse(memory.tokens.subList(first, last + 1).contains(Modality.TEXT));
        for (FeedListener.Prediction prediction : memory.predictions) {
            assertEquals(prediction.index() >= last, prediction.afterImage());
        }
    }

    @Test
    void largerPicturesAreReducedToTheBound() {
        Map<Integer, Integer> tokens = new TreeMap<>();
        for (int bound : List.of(0, 16, 1280)) {
            Memory memory = new Memory();
            try (Feeder feeder = Feeder.open(
                    List.of(REFERENCE.resolve(QWEN + "-F16.gguf")),
                    Optional.of(REFERENCE.resolve("mmproj-" + QWEN + "-F16.gguf")),
                    new FeedOptions(512, 64, 1, bound, FeedOptions.Outputs.ANSWER, Optional.empty()))) {
                feeder.feed(picture(REFERENCE.resolve("square-140x140.png")), memory);
            }
            tokens.put(bound, Collections.frequency(memory.tokens, Modality.IMAGE));
        }
        assertEquals(Map.of(0, 25, 16, 16, 1280, 25), tokens);
    }

    @Test
    void aTapSeesARowForEveryTokenOfABatchInEveryLayer() {
        List<String> seen = new ArrayList<>();
        int[] batch = new int[1];
        TensorTap tap = new TensorTap() {
            @Override
            public boolean wants(GraphTensor tensor) {
                return tensor.name().startsWith("l_out-")
                        || tensor.isMatrixProduct() && tensor.source(0).name().equals("blk.0.attn_q.weight");
            }

            @Override
            public void computed(GraphTensor tensor) {
                GraphTensor rows = tensor.isMatrixProduct() ? tensor.source(1) : tensor;
                assertEquals(batch[0], rows.rows());
                assertEquals(rows.rows() * rows.columns(), rows.floats().remaining());
                seen.add(tensor.isMatrixProduct() ? tensor.source(0).name() : tensor.name());
            }
        };
        FeedListener counting = new FeedListener() {
            @Override
            public void batch(Modality modality, int tokens) {
                batch[0] = tokens;
            }
        };
        try (Feeder feeder = tiny(QWEN, 512, 512, FeedOptions.Outputs.ALL, tap)) {
            feeder.feed(text(), counting);
            assertEquals(
                    List.of("blk.0.attn_q.weight", "l_out-0", "l_out-1"),
                    seen.stream().distinct().toList());
            seen.clear();
            feeder.feed(picture(REFERENCE.resolve("square-140x140.png")), counting);
            assertEquals(9, seen.size(), "text, picture, text");
        }
    }

    @Test
    void whatATapThrowsEndsTheExampleAndNotTheFeeder() {
        boolean[] broken = {true};
        TensorTap tap = new TensorTap() {
            @Override
            public boolean wants(GraphTensor tensor) {
                return broken[0];
            }

            @Override
            public void computed(GraphTensor tensor) {
                throw new IllegalStateException("broken");
            }
        };
        try (Feeder feeder = tiny(QWEN, 512, 512, FeedOptions.Outputs.ALL, tap)) {
            assertThrows(IllegalStateException.class, () -> feeder.feed(text(), new Memory()));
            broken[0] = false;
            assertTrue(feeder.feed(text(), new Memory()) > 0);
        }
    }

    @Test
    void whatDoesNotFitOrCannotBeReadIsNamed() throws Exception {
        Path damaged = Files.write(
                folder.resolve("damaged.png"),
                Arrays.copyOf(Files.readAllBytes(REFERENCE.resolve("square-140x140.png")), 600));
        try (Feeder feeder = tiny(QWEN, 40, 40, FeedOptions.Outputs.ANSWER, null)) {
            FeedException tooLong = assertThrows(
                    FeedException.TooLong.class,
                    () -> feeder.feed(picture(REFERENCE.resolve("square-140x140.png")), new Memory()));
            assertTrue(tooLong.getMessage().startsWith("set.jsonl:2: "), tooLong.getMessage());
            FeedException unusable =
                    assertThrows(FeedException.Unusable.class, () -> feeder.feed(picture(damaged), new Memory()));
            assertTrue(unusable.getMessage().contains("damaged.png"), unusable.getMessage());
            assertFalse(unusable.getMessage().contains(folder.toString()), unusable.getMessage());
        }
        try (Feeder feeder = Feeder.open(
                List.of(REFERENCE.resolve(QWEN + "-F16.gguf")),
                Optional.empty(),
                new FeedOptions(64, 64, 1, 0, FeedOptions.Outputs.ANSWER, Optional.empty()))) {
            assertThrows(
                    FeedException.Unusable.class,
                    () -> feeder.feed(picture(REFERENCE.resolve("square-140x140.png")), new Memory()));
        }
    }
}
