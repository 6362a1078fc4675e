package dev.luq.requant.pipeline;

import dev.luq.memory.ServingShape;
import dev.luq.requant.plan.Budget;
import dev.luq.requant.plan.Precision;
import dev.luq.requant.spec.Method;
import dev.luq.requant.spec.Phase;
import dev.luq.requant.spec.RequantizationSpec;
import dev.luq.requant.spec.RequantizationSpec.Calibration;
import dev.luq.requant.spec.RequantizationSpec.Levels;
import dev.luq.requant.spec.RequantizationSpec.Output;
import dev.luq.requant.spec.RequantizationSpec.Scope;
import dev.luq.requant.spec.RequantizationSpec.Search;
import dev.luq.requant.spec.RequantizationSpec.Sets;
import dev.luq.requant.spec.RequantizationSpec.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** Jobs on a tiny model with random weights, of sets that are made here. */
final class Jobs {

    private static final Path REFERENCE =
            Path.of("src/test/resources/reference").toAbsolutePath();
    static final String MODEL = "qwen2.5-vl-tiny";

    /** Notes what it hears, cancels when it is told to. */
    static class Notes implements RequantizationJob.Listener {
        final List<Phase> phases = new ArrayList<>();
        final List<Double> progress = new ArrayList<>();
        final List<String> messages = new CopyOnWriteArrayList<>();
        volatile Phase cancelAt;
        volatile boolean cancel;

        @Override
        public void phase(Phase phase) {
            phases.add(phase);
        }

        @Override
        public void progress(double overall, OptionalLong secondsLeft) {
            progress.add(overall);
        }

        @Override
        public void message(String text) {
            messages.add(text);
        }

        @Override
        public boolean cancelled() {
            return cancel || cancelAt != null && phases.contains(cancelAt);
        }
    }

    private Jobs() {}

    /** Writes a calibration and an evaluation set into the folder. */
    static void writeSets(Path folder) {
        try {
            writeSet(folder.resolve("calibration"), 15);
            writeSet(folder.resolve("evaluation"), 6);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void writeSet(Path folder, int examples) throws IOException {
        Files.createDirectories(folder);
        Files.copy(REFERENCE.resolve("small-72x90.png"), folder.resolve("a.png"));
        Files.copy(REFERENCE.resolve("odd-100x100.png"), folder.resolve("b.png"));
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < examples; i++) {
            String image = i % 3 == 2 ? "null" : i % 2 == 0 ? "\"a.png\"" : "\"b.png\"";
            lines.append("{\"image\": ")
                    .append(image)
                    .append(", \"question\": \"Number ")
                    .append(i)
                    .append("?\", \"answer\": \"")
                    .append("yes no maybe".split(" ")[i % 3])
                    .append("\"}\n");
        }
        Files.writeString(folder.resolve("set.jsonl"), lines);
    }

    /** @param folder of the sets */
    static RequantizationSpec spec(Path folder, String id, String budget, Method method, Scope scope) {
        return new RequantizationSpec(
                RequantizationSpec.VERSION,
                new Source(
                        "tiny",
                        List.of(REFERENCE.resolve(MODEL + "-F16.gguf").toString()),
                        Optional.of(REFERENCE
                                .resolve("mmproj-" + MODEL + "-F16.gguf")
                                .toString()),
                        Optional.empty()),
                new Sets(
                        folder.resolve("calibration").toString(),
                        folder.resolve("evaluation").toString(),
                        0),
                Budget.parse(budget),
                Optional.empty(),
                method,
                new Levels(Precision.IQ3_S, Precision.Q4_K_M, Precision.F16),
                new Calibration(0.75, 1, 0, 3),
                Search.NONE,
                new ServingShape(512, 128, 1, 1),
                1,
                new Output(id, Instant.parse("2026-01-02T03:04:05Z"), scope));
    }

    /** Makes a job folder in a data folder. */
    static Path create(Path dataDir, RequantizationSpec spec) {
        Path folder = Cache.folder(dataDir.resolve("jobs").resolve(spec.output().manifestId()));
        spec.write(folder);
        return folder;
    }

    /** Digests of everything that a job leaves for good, by path: the store and the job's files but its times. */
    static Map<String, String> results(Path dataDir) {
        Map<String, String> digests = new TreeMap<>();
        for (String part : List.of("store/entries", "store/manifests", "jobs")) {
            try (Stream<Path> files = Files.walk(dataDir.resolve(part))) {
                files.filter(Files::isRegularFile)
                        .filter(file -> !file.endsWith("status.json"))
                        .forEach(file -> digests.put(dataDir.relativize(file).toString(), sha256(file)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return digests;
    }

    private static String sha256(Path file) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
