package dev.luq.benchmarks.data;

import dev.luq.benchmarks.Benchmark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A folder with one of the forms in which a benchmark is published.
 *
 * @param folder pictures are looked for in it alone
 * @param form the names of its files, for people
 * @param files those that are read, in this order
 */
public record BenchmarkFolder(Path folder, String form, List<Path> files, Benchmark benchmark) {

    /**
     * Folders below the one that is given: repositories have their files a folder or two down, archives three or four.
     */
    private static final int DEEPEST = 5;

    private static final Set<String> ENDINGS = Set.of("parquet", "tsv", "json", "txt");
    /** What VLMEvalKit makes of a large TSV beside it: the rows without their pictures. */
    private static final String WITHOUT_PICTURES = "_local.tsv";

    public BenchmarkFolder {
        files = List.copyOf(files);
    }

    /**
     * Finds out what a folder holds.
     *
     * @param place a folder, or the one file to read in it
     * @throws BenchmarkDataException nothing of the benchmark, or too much of it
     */
    public static BenchmarkFolder of(Benchmark benchmark, Path place) throws IOException {
        if (!Files.exists(place)) {
            throw new BenchmarkDataException("There is no folder or file " + place + ".");
        }
        boolean folder = Files.isDirectory(place);
        Path root = (folder ? place : place.toAbsolutePath().getParent()).toRealPath();
        // By its own name, also where it links to another: the hub's cache has digests for names.
        List<Path> all = folder ? dataFiles(root) : List.of(root.resolve(place.getFileName()));
        for (Layout layout : Layouts.of(benchmark)) {
            List<Path> files = all.stream()
                    .filter(file -> layout.files().matcher(relative(root, file)).matches())
                    .toList();
            if (files.size() > layout.most()) {
                throw new BenchmarkDataException("There is more than one " + layout.name() + ": "
                        + files.stream().map(file -> relative(root, file)).collect(Collectors.joining(", "))
                        + ". Give one of them, or a folder with one of them.");
            }
            if (!files.isEmpty()) {
                return new BenchmarkFolder(root, layout.name(), files, benchmark);
            }
        }
        throw new BenchmarkDataException("There is nothing of " + benchmark.title() + " in " + place + ": it needs "
                + Layouts.of(benchmark).stream().map(Layout::name).collect(Collectors.joining(", or ")) + ".");
    }

    private static List<Path> dataFiles(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root, DEEPEST)) {
            return files.filter(file -> isData(file.getFileName().toString()) && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        }
    }

    private static boolean isData(String name) {
        return ENDINGS.contains(name.substring(name.lastIndexOf('.') + 1)) && !name.endsWith(WITHOUT_PICTURES);
    }

    private static String relative(Path root, Path file) {
        return root.relativize(file).toString().replace('\\', '/');
    }

    /** Its questions; the caller closes them. */
    public Questions open() throws IOException {
        return Layouts.of(benchmark).stream()
                .filter(layout -> layout.name().equals(form))
                .findFirst()
                .orElseThrow()
                .opener()
                .open(folder, files);
    }
}
