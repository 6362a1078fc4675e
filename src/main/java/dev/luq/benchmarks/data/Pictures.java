package dev.luq.benchmarks.data;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Where the pictures of a benchmark are: in the rows, in other rows, or in folders beside the files. */
final class Pictures implements AutoCloseable {

    /** A shorter text in a picture's field of a TSV file names the row that has the picture. */
    static final int LONGEST_INDEX = 64;

    /** Folders that the makers' archives unpack to, below the one that is given. */
    private static final List<String> FOLDERS = List.of("images", "train_images", "val2014", "png", "test/png");

    private final Path folder;
    /** Pictures that later rows may name; null as long as there are none. */
    private FileChannel kept;

    private final Map<String, long[]> places = new HashMap<>();

    Pictures(Path folder) {
        this.folder = folder;
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

    /** As a row of a TSV file has it: base64, or the index of an earlier row. */
    Picture inTsv(Row row, boolean keep) throws IOException {
        String index = row.text("index");
        String text = row.text("image");
        if (text.length() <= LONGEST_INDEX) {
            long[] place = places.get(text);
            if (place == null) {
                throw row.fault("the picture is that of row " + text + ", which does not come before it.");
            }
            return () -> read(place);
        }
        byte[] bytes;
        try {
            bytes = Base64.getMimeDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw row.fault("\"image\" is not base64.");
        }
        if (keep) {
            places.put(index, keep(Picture.checked(bytes, row.place() + ": image")));
        }
        return Picture.of(bytes);
    }

    private long[] keep(byte[] bytes) throws IOException {
        if (kept == null) {
            kept = FileChannel.open(
                    Files.createTempFile("luq-pictures-", ""),
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE);
        }
        long[] place = {kept.size(), bytes.length};
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            kept.write(buffer, place[0] + buffer.position());
        }
        return place;
    }

    private byte[] read(long[] place) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) place[1]);
        while (buffer.hasRemaining() && kept.read(buffer, place[0] + buffer.position()) >= 0) {}
        return buffer.array();
    }

    /** A file, by a name that may have folders before it. */
    Picture named(Row row, String name) {
        Path file = find(name)
                .orElseThrow(() -> row.fault("the picture " + name + " is not in the folder, nor below it in one of "
                        + String.join(", ", FOLDERS) + ": put the pictures there."));
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
            return Stream.concat(Stream.of(""), FOLDERS.stream())
                    .map(below -> folder.resolve(below).resolve(name).normalize())
                    .filter(file -> file.startsWith(folder) && Files.isRegularFile(file))
                    .findFirst();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        if (kept != null) {
            kept.close();
        }
    }
}
