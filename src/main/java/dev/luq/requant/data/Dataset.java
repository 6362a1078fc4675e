package dev.luq.requant.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Folders;
import dev.luq.files.Sha256;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A calibration or evaluation set, read and checked as a whole; see the package for its form. Immutable.
 *
 * @param examples in the order of file names and lines; not empty
 */
public record Dataset(List<Example> examples) {

    /** Most examples of a set. */
    public static final int MAX_EXAMPLES = 200_000;
    /** Most characters of its files together, which are all held in memory. */
    static final long MAX_CHARACTERS = 32L << 20;
    /** Most images that its examples name together. */
    static final int MAX_IMAGES = MAX_EXAMPLES;

    public Dataset {
        examples = List.copyOf(examples);
    }

    /**
     * Reads all files {@code *.jsonl} that lie directly in the folder.
     *
     * @throws DataException.InvalidSet the folder cannot be read or has no example
     * @throws DataException.InvalidExample a line is malformed, or an image is missing, lies outside the folder, is
     *         reached through a link, or is no PNG, JPEG or WEBP
     */
    public static Dataset read(Path folder) {
        try {
            if (!Files.isDirectory(folder)) {
                throw new DataException.InvalidSet(
                        "There is no such folder; give the folder that holds the .jsonl files.", null);
            }
            Path root = folder.toRealPath();
            List<Example> examples = new ArrayList<>();
            Room room = new Room();
            for (Path file : jsonLines(root)) {
                readLines(root, file, examples, room);
            }
            if (examples.isEmpty()) {
                throw new DataException.InvalidSet(
                        "The folder has no examples: put at least one .jsonl file with one"
                                + " example a line into it.",
                        null);
            }
            return new Dataset(examples);
        } catch (IOException e) {
            throw new DataException.InvalidSet("The folder cannot be read; check its permissions.", e);
        }
    }

    private static List<Path> jsonLines(Path root) throws IOException {
        List<Path> files = Folders.list(
                root,
                file -> file.getFileName().toString().endsWith(".jsonl")
                        && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
        files.sort(Comparator.naturalOrder());
        return files;
    }

    /** What is left for the files that follow. */
    private static final class Room {
        private long characters = MAX_CHARACTERS;
        private int images = MAX_IMAGES;
    }

    private static void readLines(Path root, Path file, List<Example> examples, Room room) throws IOException {
        String name = file.getFileName().toString();
        int number = 0;
        try (BufferedReader reader = Files.newBufferedReader(file, UTF_8)) {
            BoundedLines lines = new BoundedLines(reader, LineParser.MAX_CHARACTERS);
            for (String line = lines.next(); line != null; line = lines.next()) {
                number++;
                room.characters -= line.length() + 1;
                if (room.characters < 0) {
                    throw new DataException.InvalidSet(
                            "The .jsonl files have more than " + MAX_CHARACTERS
                                    + " characters; take a sample of the examples.",
                            null);
                }
                if (line.isBlank()) {
                    continue;
                }
                if (examples.size() == MAX_EXAMPLES) {
                    throw new DataException.InvalidSet(
                            "The folder has more than " + MAX_EXAMPLES + " examples; take a sample of them.", null);
                }
                Example example = new LineParser(root, name, number).parse(line);
                room.images -= example.images().size();
                if (room.images < 0) {
                    throw new DataException.InvalidSet(
                            "The examples show more than " + MAX_IMAGES + " pictures; take a sample of them.", null);
                }
                examples.add(example);
            }
        } catch (BoundedLines.TooLong e) {
            throw new DataException.InvalidExample(
                    name + ":" + (number + 1),
                    "the line has more than " + LineParser.MAX_CHARACTERS + " characters; shorten it.");
        } catch (CharacterCodingException e) {
            throw new DataException.InvalidExample(
                    name + ":" + (number + 1),
                    "this line or one soon after it is not" + " UTF-8; write the file in UTF-8.");
        }
    }

    /**
     * Identity of the content: SHA-256, lower-case hexadecimal, of everything that reaches a model, wherever the folder
     * lies. Reads every image.
     *
     * @throws DataException.InvalidSet an image cannot be read any more
     */
    public String digest() {
        MessageDigest digest = Sha256.create();
        // Many examples may show the same image.
        Map<Path, byte[]> imageBytes = new HashMap<>();
        try {
            for (Example example : examples) {
                for (String text : List.of(
                        example.question(), example.answer(), example.category().orElse(""))) {
                    byte[] bytes = text.getBytes(UTF_8);
                    digest.update(ByteBuffer.allocate(Integer.BYTES)
                            .putInt(bytes.length)
                            .array());
                    digest.update(bytes);
                }
                digest.update(ByteBuffer.allocate(Integer.BYTES)
                        .putInt(example.images().size())
                        .array());
                for (Path image : example.images()) {
                    byte[] known = imageBytes.get(image);
                    if (known == null) {
                        known = Sha256.bytes(image);
                        imageBytes.put(image, known);
                    }
                    digest.update(known);
                }
            }
        } catch (IOException e) {
            throw new DataException.InvalidSet("A picture of the set cannot be read any more.", e);
        }
        return Sha256.hex(digest);
    }
}
