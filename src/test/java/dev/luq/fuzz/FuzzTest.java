package dev.luq.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What fuzzing found stays mended: every target keeps its promises for seeds, kept inputs and some mutations of them. */
class FuzzTest {

    private static final Duration LONGEST = Duration.ofSeconds(20);
    private static final int MUTATIONS = 200;

    @TestFactory
    List<DynamicTest> seeds() {
        List<DynamicTest> tests = new ArrayList<>();
        for (FuzzTarget target : FuzzTargets.all()) {
            tests.add(DynamicTest.dynamicTest(target.name(), () -> {
                for (byte[] seed : target.seeds()) {
                    assertTimeoutPreemptively(LONGEST, () -> run(target, seed));
                }
            }));
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> keptInputs() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (FuzzTarget target : FuzzTargets.all()) {
            for (Path file : FuzzTargets.kept(target)) {
                byte[] input = Files.readAllBytes(file);
                tests.add(DynamicTest.dynamicTest(
                        target.name() + "/" + file.getFileName(),
                        () -> assertTimeoutPreemptively(LONGEST, () -> run(target, input))));
            }
        }
        return tests;
    }

    /** Shallow beside a real run, but of every day: the same mutations each time. */
    @TestFactory
    List<DynamicTest> mutations() {
        List<DynamicTest> tests = new ArrayList<>();
        for (FuzzTarget target : FuzzTargets.all()) {
            tests.add(DynamicTest.dynamicTest(target.name(), () -> {
                Random random = new Random(target.name().hashCode());
                List<byte[]> seeds = target.seeds();
                for (int round = 0; round < MUTATIONS; round++) {
                    byte[] input = mutate(seeds.get(round % seeds.size()).clone(), random);
                    assertTimeoutPreemptively(LONGEST, () -> run(target, input));
                }
            }));
        }
        return tests;
    }

    /** A folder of kept inputs whose target is gone would be read by nobody. */
    @Test
    void everyFolderOfKeptInputsHasItsTarget() throws IOException {
        TreeSet<String> names = new TreeSet<>();
        FuzzTargets.all().forEach(target -> assertTrue(names.add(target.name()), target.name() + " is there twice"));
        try (Stream<Path> folders = Files.list(Path.of("src/test/resources/fuzz"))) {
            List<String> strangers = folders.map(folder -> folder.getFileName().toString())
                    .filter(folder -> !names.contains(folder))
                    .toList();
            assertEquals(List.of(), strangers);
        }
    }

    private static Void run(FuzzTarget target, byte[] input) throws Exception {
        try {
            target.run(input);
            return null;
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] mutate(byte[] bytes, Random random) {
        for (int edits = 1 + random.nextInt(4); edits > 0 && bytes.length > 9; edits--) {
            int at = random.nextInt(bytes.length - 8);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> {
                    // Extreme values where counts, lengths and offsets may be.
                    long value = List.of(-1L, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, 1L << 59, 0L, 1L << 31)
                            .get(random.nextInt(7));
                    int width = 1 << random.nextInt(4);
                    for (int i = 0; i < width; i++) {
                        bytes[at + i] = (byte) (value >> 8 * i);
                    }
                }
                case 3 -> bytes = Arrays.copyOf(bytes, at);
                default -> {
                    int length = 1 + random.nextInt(Math.min(32, bytes.length - at));
                    System.arraycopy(bytes, random.nextInt(bytes.length - length + 1), bytes, at, length);
                }
            }
        }
        return bytes;
    }
}
