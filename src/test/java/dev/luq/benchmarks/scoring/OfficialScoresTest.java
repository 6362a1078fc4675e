package dev.luq.benchmarks.scoring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.Integration;
import dev.luq.Seeds;
import dev.luq.benchmarks.Benchmark;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Our scores against those of lmms-eval and VLMEvalKit, on the known cases and on texts drawn at random. {@code ./luq
 * test --benchmark-scores} fetches the packages and runs it.
 */
@Integration
@EnabledIfSystemProperty(named = "lmms-eval", matches = ".+", disabledReason = "-Dlmms-eval names no Python with it")
class OfficialScoresTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int DRAWN = 3000;
    private static final double EXACT = 1e-9;

    /** Without letters that lower case makes longer: numpy cuts them off. */
    private static final List<String> PIECES = List.of(
            "a",
            "an",
            "the",
            "two",
            "none",
            "ten",
            "dont",
            "it's",
            "Its",
            "mcdonald's",
            "yes",
            "no",
            "Yes",
            "not",
            "y",
            "blue",
            "red",
            "STOP",
            "t-shirt",
            "1,000",
            "1000",
            "3.5",
            "50%",
            "0",
            "0.0",
            "100",
            "105",
            "1e3",
            "1_0",
            "nan",
            "-4",
            "ß",
            "x's",
            "a.b",
            "...",
            "?",
            "!",
            ",",
            ".",
            "(A)",
            "A",
            "B",
            "C",
            "D",
            "B.",
            "**C**",
            "answer is",
            "The answer is",
            "square",
            "circle",
            "triangle",
            "hexagon",
            "tokyo",
            "osaka",
            "\"tokyo\".",
            "\n",
            "\t",
            "  ",
            "\u00a0",
            "you'll",
            "y'all'd've",
            "/",
            "\\",
            "[1, 2]",
            "14",
            "1.25",
            "2.675",
            "Z",
            "sir.",
            "one-two",
            "'s",
            "`",
            "<=",
            "café");

    private final Random random = new Random(Seeds.draw(OfficialScoresTest.class));

    private String text() {
        StringBuilder text = new StringBuilder();
        int pieces = 1 + random.nextInt(4);
        for (int i = 0; i < pieces; i++) {
            text.append(PIECES.get(random.nextInt(PIECES.size()))).append(random.nextInt(4) == 0 ? "" : " ");
        }
        return text.toString();
    }

    private List<String> texts(int count) {
        List<String> few = List.of(text(), text());
        return IntStream.range(0, count)
                .mapToObj(i -> random.nextInt(3) == 0 ? text() : few.get(random.nextInt(2)))
                .toList();
    }

    private String pick(String... texts) {
        return texts[random.nextInt(texts.length)];
    }

    private ScoringCase.Answered drawn(Benchmark benchmark, int number) {
        return switch (benchmark) {
            case MME ->
                new ScoringCase.Answered(
                        Reference.inGroup(pick("Yes", "No"), "OCR", Integer.toString(number / 2)), text());
            case POPE ->
                new ScoringCase.Answered(
                        Reference.of(List.of(pick("yes", "no")), "random"), pick("yes", "no", "Yes", " No\n"));
            case MMBENCH ->
                new ScoringCase.Answered(
                        new Reference(
                                List.of(pick("A", "B", "C", "D")),
                                "shape",
                                Integer.toString(number / 3),
                                List.of("square", "circle", "triangle", "hexagon"),
                                null,
                                null),
                        text());
            case TEXTVQA, VQAV2 -> {
                List<String> people = texts(10);
                yield new ScoringCase.Answered(
                        Reference.of(people, null), random.nextBoolean() ? people.get(0) : text());
            }
            case MATHVISTA -> math();
            default -> {
                String right = pick(text(), PIECES.get(random.nextInt(PIECES.size())));
                yield new ScoringCase.Answered(
                        Reference.of(List.of(right), null),
                        random.nextInt(3) == 0 ? right + pick("", ".", " ", "x") : text());
            }
        };
    }

    private ScoringCase.Answered math() {
        String kind = pick(MathVista.MULTI_CHOICE, MathVista.INTEGER, MathVista.FLOAT);
        String number = pick("14", "1.25", "2.675", "-4", "1e3", "nan", "0.15", "1_0", "14.7");
        String said =
                pick(number, "The answer is \"" + number + "\".", "The answer is \"" + text().strip() + "\".", "osaka");
        return new ScoringCase.Answered(
                new Reference(
                        List.of(
                                kind.equals(MathVista.MULTI_CHOICE)
                                        ? "osaka"
                                        : pick("14", "1.2", "2.67", "-4.0", "0.1")),
                        "task",
                        null,
                        kind.equals(MathVista.MULTI_CHOICE) ? List.of("tokyo", "osaka", "14") : List.of(),
                        kind,
                        kind.equals(MathVista.FLOAT) ? 1 + random.nextInt(2) : null),
                said);
    }

    private List<ScoringCase> cases() {
        List<ScoringCase> cases = new ArrayList<>(ScoringCase.all());
        for (Benchmark benchmark : Benchmark.values()) {
            boolean groups =
                    benchmark == Benchmark.MME || benchmark == Benchmark.MMBENCH || benchmark == Benchmark.POPE;
            for (int i = 0; i < (groups ? DRAWN / 6 : DRAWN); i++) {
                List<ScoringCase.Answered> answers = IntStream.range(0, groups ? 6 : 1)
                        .mapToObj(number -> drawn(benchmark, number))
                        .toList();
                cases.add(new ScoringCase(benchmark, "drawn", answers, ours(benchmark, answers)));
            }
        }
        return cases;
    }

    private static double ours(Benchmark benchmark, List<ScoringCase.Answered> answers) {
        Scorer scorer = benchmark.scorer();
        answers.forEach(answered -> scorer.add(answered.reference(), Answer.of(answered.text())));
        return scorer.scores().metrics().get(0).value();
    }

    @Test
    void scoresAreThoseOfTheOfficialCode() throws IOException {
        List<String> command =
                new ArrayList<>(List.of(System.getProperty("lmms-eval"), "src/test/benchmarks/official.py"));
        String checkout = System.getProperty("vlmevalkit", "");
        if (!checkout.isEmpty()) {
            command.addAll(List.of("--vlmevalkit", checkout));
        }
        Process official = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Map<Benchmark, Integer> compared = new EnumMap<>(Benchmark.class);
        try (BufferedWriter questions = official.outputWriter(UTF_8);
                BufferedReader scores = official.inputReader(UTF_8)) {
            for (ScoringCase known : cases()) {
                ObjectNode line = JSON.createObjectNode()
                        .put("benchmark", known.benchmark().id());
                line.set("answers", JSON.valueToTree(known.answers()));
                questions.write(line + "\n");
                questions.flush();
                JsonNode score = JSON.readTree(scores.readLine());
                if (!score.isNull()) {
                    compared.merge(known.benchmark(), 1, Integer::sum);
                    assertEquals(
                            score.doubleValue(),
                            ours(known.benchmark(), known.answers()),
                            EXACT,
                            () -> known.about() + ": " + line);
                }
            }
        } finally {
            official.destroy();
        }
        System.out.println("compared: " + compared);
        for (Benchmark benchmark : Benchmark.values()) {
            assertTrue(
                    compared.containsKey(benchmark) || benchmark == Benchmark.MMBENCH && checkout.isEmpty(),
                    benchmark.id());
        }
    }
}
