package dev.luq.requant.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.llama.Llama;
import dev.luq.llama.VectorProducts;
import dev.luq.requant.calibrate.Activation;
import dev.luq.requant.calibrate.Calibration;
import dev.luq.requant.calibrate.CalibrationOptions;
import dev.luq.requant.calibrate.Calibrator;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import dev.luq.requant.feed.Modality;
import dev.luq.requant.plan.Ranking;
import dev.luq.requant.plan.RankingMethod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class EntropyRankingTest {

    private static final Path REFERENCE = Path.of("src/test/resources/reference");

    @TempDir
    static Path folder;

    private static Calibration calibration;

    @BeforeAll
    static void calibrate() throws Exception {
        Llama.init(line -> {});
        List<Example> examples = new ArrayList<>();
        for (String name : List.of("square-140x140.png", "tall-84x196.png", "odd-150x100.png")) {
            examples.add(new Example(
                    "set.jsonl",
                    examples.size() + 1,
                    List.of(REFERENCE.resolve(name)),
                    "What is on picture " + name + "?",
                    "A square or two.",
                    Optional.empty()));
        }
        calibration = calibrate("pass", new Dataset(examples), 500);
    }

    private static Calibration calibrate(String name, Dataset set, int vectors) throws Exception {
        return Calibrator.run(
                List.of(REFERENCE.resolve("qwen2.5-vl-tiny-F16.gguf")),
                Optional.of(REFERENCE.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf")),
                "qwen2.5-vl-tiny",
                set,
                new CalibrationOptions(
                        0,
                        vectors,
                        EnumSet.allOf(Activation.class),
                        256,
                        64,
                        0,
                        Optional.empty(),
                        1,
                        1,
                        Duration.ofDays(1)),
                folder.resolve(name),
                (done, of) -> {});
    }

    private static EntropyOptions options(int clusters, int threads) {
        return new EntropyOptions(clusters, List.of(4, clusters, 16, 100_000), List.of(1L, 2L, 3L), 120, threads);
    }

    private static LayerEntropies measure(Activation activation, EntropyOptions options) throws Exception {
        return EntropyRanking.measure(calibration, activation, options, share -> {});
    }

    @Test
    void entropyIsThatOfTheSharesInBits() {
        assertEquals(2, EntropyRanking.entropy(new int[] {7, 7, 7, 7}), 1e-12);
        assertEquals(0, EntropyRanking.entropy(new int[] {9, 0}), 1e-12);
        assertEquals(0.811278124459, EntropyRanking.entropy(new int[] {1, 3}), 1e-9);
        int[] equal = new int[100];
        Arrays.fill(equal, 5);
        assertEquals(6.643856, EntropyRanking.entropy(equal), 1e-6);
    }

    @Test
    void everyLayerHasAnEntropyOfEachKind() throws Exception {
        LayerEntropies found = measure(Activation.OUTPUT, options(8, 1));
        int layers = calibration.layers();
        assertEquals(3, found.mixed().size());
        found.mixed().forEach(ofSeed -> assertEquals(layers, ofSeed.size()));
        assertEquals(layers, found.image().size());
        assertEquals(layers, found.text().size());
        assertEquals(
                List.of(4, 8, 16), List.copyOf(found.byClusters().keySet()), "more clusters than vectors are left out");
        assertEquals(found.mixed().get(0), found.byClusters().get(8));
        found.byClusters()
                .forEach((clusters, entropies) -> entropies.forEach(
                        entropy -> assertTrue(entropy > 0 && entropy <= Math.log(clusters) / Math.log(2))));
        assertNotEquals(found.mixed().get(0), found.mixed().get(1));
    }

    @Test
    void theRankingIsAscendingAndTellsHowItCameAbout() throws Exception {
        LayerEntropies found = measure(Activation.NORMED_INPUT, options(8, 1));
        Ranking ranking = found.ranking();
        assertEquals(RankingMethod.ENTROPY_NORMED_INPUT, ranking.method());
        assertEquals(found.mean(), ranking.scores());
        for (int i = 1; i < ranking.order().size(); i++) {
            assertTrue(ranking.scores().get(ranking.order().get(i - 1))
                    <= ranking.scores().get(ranking.order().get(i)));
        }
        assertEquals(3, found.tausBetweenSeeds().size());
        assertEquals(List.of(8, 16), List.copyOf(found.tausByClusters().keySet()));
        String json = new ObjectMapper().writeValueAsString(ranking.provenance());
        for (String part : List.of(
                "\"seeds\":[1,2,3]",
                "\"clusters\":8",
                calibration.samplesDigest(),
                calibration.set(),
                "\"tau_between_seeds\":[",
                "\"tau_to_previous_clusters\":{\"8\":",
                "\"entropy_image\":[")) {
            assertTrue(json.contains(part), part + " in " + json);
        }
    }

    @Test
    void theResultDependsOnSeedsAndNotOnThreads() throws Exception {
        LayerEntropies expected = measure(Activation.OUTPUT, options(8, 1));
        assertEquals(expected, measure(Activation.OUTPUT, options(8, 2)));
        assertEquals(expected, measure(Activation.OUTPUT, options(8, 3)));
    }

    /** As if all tokens had been pooled, although each modality was sampled alone. */
    @Test
    void mixedSamplesHaveTheProportionsOfTheTokens() throws Exception {
        double images = calibration.tokens(Modality.IMAGE);
        double texts = calibration.tokens(Modality.TEXT);
        TokenSample mixed = TokenSample.mixed(calibration, 60, 1);
        assertEquals(60, mixed.size(), 1);
        assertEquals(
                calibration.samples(Modality.IMAGE),
                TokenSample.of(calibration, Modality.IMAGE, 10_000, 1).size());
        Calibration few = calibrate(
                "few",
                new Dataset(List.of(new Example(
                        "s", 1, List.of(REFERENCE.resolve("square-140x140.png")), "What?", "So.", Optional.empty()))),
                10);
        double share = Math.max(few.tokens(Modality.IMAGE), few.tokens(Modality.TEXT))
                / (double) (few.tokens(Modality.IMAGE) + few.tokens(Modality.TEXT));
        assertEquals(10 / share, TokenSample.mixed(few, 1000, 1).size(), 1);
        assertTrue(images > 0 && texts > 0);
    }

    @Test
    void vectorsAreCentredBeforeTheyAreClustered() throws Exception {
        TokenSample sample = TokenSample.mixed(calibration, 60, 1);
        try (VectorProducts vectors = sample.load(Activation.OUTPUT, 0, 1)) {
            double sum = 0;
            for (int i = 0; i < sample.size(); i++) {
                sum += vectors.vectors().get(i * calibration.width());
            }
            assertEquals(0, sum / sample.size(), 1e-5);
        }
    }

    @Test
    void tooFewVectorsAreNamed() {
        RankException e = assertThrows(
                RankException.TooFewVectors.class,
                () -> EntropyRanking.measure(
                        calibration,
                        Activation.OUTPUT,
                        new EntropyOptions(1000, List.of(), List.of(1L), 1000, 1),
                        share -> {}));
        assertTrue(e.getMessage().contains("1000 clusters"), e.getMessage());
    }

    @Test
    void anInterruptEndsIt() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> measure(Activation.OUTPUT, options(8, 1)));
    }

    @Test
    void progressGoesFromNothingToAll() throws Exception {
        List<Double> shares = new ArrayList<>();
        EntropyRanking.measure(
                calibration,
                Activation.OUTPUT,
                new EntropyOptions(8, List.of(4, 8, 16), List.of(1L, 2L), 100, 1),
                shares::add);
        assertEquals(shares.stream().sorted().toList(), shares);
        assertEquals(1, shares.get(shares.size() - 1), 1e-9);
    }
}
