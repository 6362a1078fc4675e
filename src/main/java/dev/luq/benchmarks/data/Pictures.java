package dev.luq.benchmarks.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Where the pictures of a benchmark are: in the rows, or in folders beside the files. */
final class Pictures {

    /** Folders that the makers' archives unpack to, below the one that is given. */
    private static final List<String> FOLDERS = List.of("images", "train_images", "val2014", "png", "test/png");
    /** Such a folder whose pictures have another folder's name in the rows. */
    private static final String RENAMED = "spdocvqa_images";

    private final Path folder;
    private final Set<Path> searched = new LinkedHashSet<>();

    /**
     * Pictures of a folder.
     *
     * @param files of its questions: pictures are looked for in the folder, beside these, and one folder above them
     */
    Pictures(Path folder, List<Path> files) {
        this.folder = folder;
        searched.add(folder);
        for (Path file : files) {
            searched.add(file.getParent());
            searched.add(file.resolve("../..").normalize());
        }
        // What is above the folder is not the benchmark's.
        searched.removeIf(place -> !place.startsWith(folder));
    }

    /** As a row of a Parquet file has it: bytes, or a record with bytes. */
    static Picture inRow(Row row, String... fields) {
        JsonNode value = row.find(fields).orElseThrow(() -> row.missing(fields));
        JsonNode bytes = value.isObject() ? value.path("bytes") : value;
        if (bytes.isBinary()) {
            return () -> Picture.checked(bytes.binaryValue(), row.place() + ": " + fields[0]);
        }
        throw row.fault("\"" + fields[0] + "\" holds no bytes; take the release that holds its pictures.");
    }

    /** A file, by a name that may have folders before it. */
    Picture named(Row row, String name) {
        Path file = find(name)
                .orElseThrow(() -> row.fault("the picture " + name
                        + " is not in the folder or beside the file, nor there in one of "
                        + String.join(", ", FOLDERS) + ", " + RENAMED + ": put the pictures there."));
        return () -> {
            long size = Files.size(file);
            if (size > Picture.LARGEST) {
                throw row.fault(
                        "the picture " + name + " has " + size + " bytes; at most " + Picture.LARGEST + " are read.");
            }
            return Picture.checked(Files.readAllBytes(file), name);
        };
    }

    private Optional<Path> find(String name) {
        try {
            return searched.stream()
                    .flatMap(place -> Stream.concat(
                            Stream.concat(Stream.of(""), FOLDERS.stream())
                                    .map(below -> place.resolve(below).resolve(name)),
                            Stream.ofNullable(Path.of(name).getFileName())
                                    .map(last -> place.resolve(RENAMED).resolve(last))))
                    .map(Path::normalize)
                    .filter(file -> file.startsWith(folder) && Files.isRegularFile(file))
                    .findFirst();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }
}
