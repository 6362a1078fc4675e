package dev.luq.requant.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.Llama;
import dev.luq.llama.ModelQuantizer;
import dev.luq.requant.TestModels;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.feed.FeedOptions;
import dev.luq.requant.feed.Feeder;
import dev.luq.requant.quantize.UniformModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On models with random weights, and on the demo model, which knows the right answers. */
@Integration
class EvaluationTest {

    private static final Path REFERENCE = Path.of("src/test/resources/reference");
    private static final Path DEMO = Path.of("models/demo");
    private static final Evaluation.Listener NOBODY = new Evaluation.Listener() {
        @Override
        public void evaluated(double share) {
            assertTrue(share > 0 && share <= 1);
        }

        @Override
        public boolean cancelled() {
            return false;
        }
    };

    @TempDir
    Path folder;

    @BeforeAll
    static void load() {
        Llama.init(line -> {});
    }

    private static Feeder feeder(Path model, Path mmproj) {
        return Feeder.open(
                List.of(model),
                Optional.of(mmproj),
                new FeedOptions(512, 128, 1, 0, FeedOptions.Outputs.ANSWER, Optional.empty()));
    }

    private static Feeder tiny(String name) {
        return feeder(REFERENCE.resolve(name + "-F16.gguf"), REFERENCE.resolve("mmproj-" + name + "-F16.gguf"));
    }

    /** One question with a picture, one without. */
    private Dataset set() throws IOException {
        Path set = Files.createDirectory(folder.resolve("set"));
        Files.copy(REFERENCE.resolve("square-70x70.png"), set.resolve("a.png"));
        Files.writeString(
                set.resolve("all.jsonl"),
                """
                {"image": "a.png", "question": "What?", "answer": "red", "category": "color"}
                {"image": null, "question": "Who?", "answer": "me"}
                """);
        return Dataset.read(set);
    }

    @Test
    void aModelAgreesWithItself() throws IOException {
        Evaluation evaluation = new Evaluation(set(), folder.resolve("base"));
        try (Feeder tiny = tiny("qwen2.5-vl-tiny")) {
            assertFalse(evaluation.hasBase());
            evaluation.recordBase(List.of(tiny), NOBODY);
            assertTrue(evaluation.hasBase());
            Quality quality = evaluation.run(List.of(tiny), false, NOBODY);
            assertEquals(
                    quality.all().positions(),
                    quality.image().positions() + quality.text().positions());
            assertTrue(quality.image().positions() > 1 && quality.text().positions() > 1, quality.toString());
            for (Agreement agreement : List.of(quality.all(), quality.image(), quality.text())) {
                assertEquals(new Agreement(agreement.positions(), 0, 0, 0, 0, 1), agreement);
            }
            assertEquals(Map.of(), quality.exactMatch());
        }
    }

    @Test
    void aChangedModelIsAtADistance() throws IOException {
        Evaluation evaluation = new Evaluation(set(), folder.resolve("base"));
        try (Feeder base = tiny("qwen2.5-vl-tiny");
                Feeder changed = feeder(changed(), REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf"))) {
            evaluation.recordBase(List.of(base), NOBODY);
            Quality quality = evaluation.run(List.of(changed), true, NOBODY);
            assertTrue(quality.image().meanKld() > 0 && quality.text().meanKld() > 0, quality.toString());
            assertTrue(quality.all().p99Kld() >= quality.all().meanKld(), quality.toString());
            assertEquals(
                    new TreeMap<>(Map.of("color", new Score(0, 1), "other", new Score(0, 1))), quality.exactMatch());
        }
    }

    @Test
    void outputsThatAreNotFiniteNameTheLayerTheyComeFrom() throws IOException {
        Path model = TestModels.changed(
                TestModels.model(TestModels.QWEN),
                "blk.1.attn_output.weight",
                3,
                1,
                0x7c00,
                folder.resolve("damaged.gguf"));
        try (Feeder damaged = feeder(model, REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf"))) {
            Evaluation evaluation = new Evaluation(set(), folder.resolve("base"));
            String message = assertThrows(
                            MeasureException.Undefined.class, () -> evaluation.recordBase(List.of(damaged), NOBODY))
                    .getMessage();
            assertTrue(
                    message.contains("first at blk.1.attn_output.weight in layer 1") && message.contains("damaged"),
                    message);
            assertFalse(evaluation.hasBase());
        }
    }

    /** The first layer's down projection with all signs turned. */
    private Path changed() throws IOException {
        Path file = folder.resolve("changed.gguf");
        Files.copy(REFERENCE.resolve("qwen2.5-vl-tiny-F16.gguf"), file);
        Gguf gguf = Gguf.read(file);
        byte[] bytes = Files.readAllBytes(file);
        int start = (int) gguf.offset("blk.0.ffn_down.weight");
        for (int i = 1; i < gguf.tensor("blk.0.ffn_down.weight").orElseThrow().bytes(); i += 2) {
            bytes[start + i] ^= (byte) 0x80;
        }
        Files.write(file, bytes);
        return file;
    }

    @Test
    void rightAnswersMatchByCategory() throws IOException {
        Path set = Files.createDirectory(folder.resolve("shapes"));
        Files.copy(DEMO.resolve("examples/describe.png"), set.resolve("describe.png"));
        // the first two lines are about this picture: a description and a color
        List<String> lines = Files.readAllLines(DEMO.resolve("examples/examples.jsonl"));
        JsonNode color = new ObjectMapper().readTree(lines.get(1));
        String question = "{\"image\": \"describe.png\", \"question\": " + color.get("question")
                + ", \"category\": \"color\", \"answer\": \"";
        String answer = color.get("answer").asText();
        Files.writeString(
                set.resolve("all.jsonl"),
                String.join(
                        "\n",
                        lines.get(0).replace("\"image\"", "\"category\": \"describe\", \"image\""),
                        question + " " + answer + " \"}",
                        question + answer.toUpperCase(Locale.ROOT) + "\"}"));
        Evaluation evaluation = new Evaluation(Dataset.read(set), folder.resolve("base"));
        try (Feeder demo = feeder(DEMO.resolve("luq-demo-F16.gguf"), DEMO.resolve("mmproj-luq-demo-F16.gguf"))) {
            evaluation.recordBase(List.of(demo), NOBODY);
            Quality quality = evaluation.run(List.of(demo), true, NOBODY);
            assertEquals(
                    new TreeMap<>(Map.of("describe", new Score(1, 1), "color", new Score(1, 2))), quality.exactMatch());
            assertEquals(new Score(2, 3), quality.exactMatchAll());
        }
    }

    /** Questions in a row about one picture, about several, and about none; right and wrong answers. */
    @Test
    void resultsDoNotDependOnHowManyInstancesWorkSideBySide() throws IOException {
        Path set = Files.createDirectory(folder.resolve("many"));
        Path examples = DEMO.resolve("examples");
        for (String picture : List.of("describe.png", "word.png", "chart.png")) {
            Files.copy(examples.resolve(picture), set.resolve(picture));
        }
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            String picture = i % 8 > 5
                    ? "null"
                    : '"' + List.of("describe.png", "word.png", "chart.png").get(i / 2 % 3) + '"';
            lines.add("{\"image\": " + picture + ", \"question\": \""
                    + List.of("What color is the ring?", "What does it say?", "What is the value of A?")
                            .get(i % 3) + "\", \"answer\": \""
                    + List.of("yellow", "CASTLE", "9", "so").get(i % 4)
                    + "\", \"category\": \"" + i % 3 + "\"}");
        }
        Files.write(set.resolve("all.jsonl"), lines);
        Dataset dataset = Dataset.read(set);
        Path down = folder.resolve("down.gguf");
        UniformModels.quantize(
                ModelFiles.read(DEMO.resolve("luq-demo-F16.gguf")),
                ModelQuantizer.FileType.Q4_K_M,
                Optional.empty(),
                2,
                down);
        List<Quality> found = new ArrayList<>();
        for (int lanes : List.of(1, 3)) {
            Evaluation evaluation = new Evaluation(dataset, folder.resolve("base" + lanes));
            List<Feeder> base = new ArrayList<>();
            List<Feeder> model = new ArrayList<>();
            for (int i = 0; i < lanes; i++) {
                base.add(feeder(DEMO.resolve("luq-demo-F16.gguf"), DEMO.resolve("mmproj-luq-demo-F16.gguf")));
                model.add(feeder(down, DEMO.resolve("mmproj-luq-demo-F16.gguf")));
            }
            evaluation.recordBase(base, NOBODY);
            found.add(evaluation.run(model, true, NOBODY));
            base.forEach(Feeder::close);
            model.forEach(Feeder::close);
        }
        assertEquals(-1, Files.mismatch(folder.resolve("base1"), folder.resolve("base3")));
        assertEquals(found.get(0), found.get(1));
        assertTrue(found.get(0).all().meanKld() > 0, found.toString());
    }

    /** A file that ends early shows how far ahead it is read: not to the last of many questions about one picture. */
    @Test
    void whatTheBasePutOutIsReadWhenItIsNeeded() throws IOException {
        Path set = Files.createDirectory(folder.resolve("one-picture"));
        Files.copy(REFERENCE.resolve("square-70x70.png"), set.resolve("a.png"));
        Files.writeString(
                set.resolve("all.jsonl"),
                ("{\"image\": \"a.png\", \"question\": \"What?\", \"answer\": \"" + "red ".repeat(60) + "\"}\n")
                        .repeat(12));
        Evaluation evaluation = new Evaluation(Dataset.read(set), folder.resolve("base"));
        try (Feeder tiny = tiny("qwen2.5-vl-tiny")) {
            evaluation.recordBase(List.of(tiny), NOBODY);
            byte[] whole = Files.readAllBytes(folder.resolve("base"));
            Files.write(folder.resolve("base"), Arrays.copyOf(whole, whole.length - 1));
            List<Double> shares = new ArrayList<>();
            Evaluation.Listener listener = new Evaluation.Listener() {
                @Override
                public void evaluated(double share) {
                    shares.add(share);
                }

                @Override
                public boolean cancelled() {
                    return false;
                }
            };
            assertThrows(MeasureException.BadBaseOutputs.class, () -> evaluation.run(List.of(tiny), false, listener));
            assertEquals(8, shares.size(), "so many answers of 240 bytes are compared in one go");
        }
    }

    @Test
    void modelsOfAnotherVocabularyAndOtherSetsAreNotCompared() throws IOException {
        Dataset set = set();
        Evaluation evaluation = new Evaluation(set, folder.resolve("base"));
        try (Feeder qwen = tiny("qwen2.5-vl-tiny");
                Feeder llava = tiny("llava-tiny")) {
            assertThrows(MeasureException.BadBaseOutputs.class, () -> evaluation.run(List.of(qwen), false, NOBODY));
            evaluation.recordBase(List.of(qwen), NOBODY);
            assertThrows(MeasureException.Incomparable.class, () -> evaluation.run(List.of(llava), false, NOBODY));
            Evaluation smaller = new Evaluation(new Dataset(set.examples().subList(0, 1)), folder.resolve("base"));
            assertThrows(MeasureException.BadBaseOutputs.class, () -> smaller.run(List.of(qwen), false, NOBODY));
            List<Example> more = Stream.concat(
                            set.examples().stream(), set.examples().stream().limit(1))
                    .toList();
            Evaluation larger = new Evaluation(new Dataset(more), folder.resolve("base"));
            assertTrue(
                    assertThrows(MeasureException.BadBaseOutputs.class, () -> larger.run(List.of(qwen), false, NOBODY))
                            .getMessage()
                            .contains("of a smaller set"));
        }
    }

    @Test
    void whatIsTooLongForTheContextIsSkippedAndCounted() throws IOException {
        Dataset set = set();
        Evaluation evaluation = new Evaluation(set, folder.resolve("base"));
        try (Feeder narrow = Feeder.open(
                List.of(REFERENCE.resolve("qwen2.5-vl-tiny-F16.gguf")),
                Optional.of(REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf")),
                new FeedOptions(256, 128, 1, 0, FeedOptions.Outputs.ANSWER, Optional.empty()))) {
            Files.writeString(
                    folder.resolve("set/more.jsonl"),
                    "{\"image\": null, \"question\": \"" + "why ".repeat(300) + "\", \"answer\": \"so\"}\n");
            Evaluation longer = new Evaluation(Dataset.read(folder.resolve("set")), folder.resolve("longer"));
            evaluation.recordBase(List.of(narrow), NOBODY);
            longer.recordBase(List.of(narrow), NOBODY);
            Quality all = longer.run(List.of(narrow), true, NOBODY);
            assertEquals(1, all.skipped());
            assertEquals(2, all.exactMatchAll().asked());
            assertEquals(evaluation.run(List.of(narrow), true, NOBODY).all(), all.all());
            Dataset tooLong = new Dataset(List.of(Dataset.read(folder.resolve("set")).examples().stream()
                    .filter(example -> example.question().length() > 1000)
                    .findFirst()
                    .orElseThrow()));
            Evaluation none = new Evaluation(tooLong, folder.resolve("none"));
            none.recordBase(List.of(narrow), NOBODY);
            assertThrows(MeasureException.NothingFits.class, () -> none.run(List.of(narrow), false, NOBODY));
        }
    }

    @Test
    void whoIsCancelledLeavesNothing() throws IOException {
        Evaluation evaluation = new Evaluation(set(), folder.resolve("base"));
        Evaluation.Listener impatient = new Evaluation.Listener() {
            private double share;

            @Override
            public void evaluated(double share) {
                this.share = share;
            }

            @Override
            public boolean cancelled() {
                return share > 0;
            }
        };
        try (Feeder tiny = tiny("qwen2.5-vl-tiny")) {
            assertThrows(MeasureException.Cancelled.class, () -> evaluation.recordBase(List.of(tiny), impatient));
            assertFalse(evaluation.hasBase());
        }
    }

    @Test
    void anInterruptEndsIt() throws IOException {
        Evaluation evaluation = new Evaluation(set(), folder.resolve("base"));
        try (Feeder one = tiny("qwen2.5-vl-tiny");
                Feeder two = tiny("qwen2.5-vl-tiny")) {
            Thread.currentThread().interrupt();
            assertThrows(MeasureException.Cancelled.class, () -> evaluation.recordBase(List.of(one, two), NOBODY));
            assertTrue(Thread.interrupted(), "who is interrupted stays so");
            assertFalse(evaluation.hasBase());
            evaluation.recordBase(List.of(one, two), NOBODY);
            Thread.currentThread().interrupt();
            assertThrows(MeasureException.Cancelled.class, () -> evaluation.run(List.of(one, two), false, NOBODY));
            assertTrue(Thread.interrupted(), "who is interrupted stays so");
        }
    }
}
