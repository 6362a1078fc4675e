package dev.luq.requant.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Checks one line of a set and makes an example of it. */
final class LineParser {

    /** Of a line. */
    static final int MAX_CHARACTERS = 1 << 20;

    private static final int LONGEST_CATEGORY = 200;
    private static final int LONGEST_QUOTE = 100;
    /** As many as a chat request may have, and as large. */
    static final int MAX_IMAGES = 16;

    static final long MAX_IMAGE_BYTES = 20L << 20;

    private static final Set<String> FIELDS = Set.of("image", "question", "answer", "category");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path root;
    private final String file;
    private final int number;

    /** @param root real path of the folder */
    LineParser(Path root, String file, int number) {
        this.root = root;
        this.file = file;
        this.number = number;
    }

    Example parse(String line) throws IOException {
        JsonNode json;
        try {
            json = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw invalid("the line is not one JSON object: " + e.getOriginalMessage());
        }
        if (!json.isObject()) {
            throw invalid("the line is not a JSON object; write {\"image\": .., \"question\": .., \"answer\": ..}.");
        }
        for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!FIELDS.contains(name)) {
                throw invalid(
                        "there is no field " + quoted(name) + "; the fields are image, question, answer, category.");
            }
        }
        Optional<String> category =
                json.hasNonNull("category") ? Optional.of(text(json, "category")) : Optional.empty();
        if (category.isPresent() && category.get().length() > LONGEST_CATEGORY) {
            throw invalid("\"category\" has more than " + LONGEST_CATEGORY + " characters; shorten it.");
        }
        return new Example(
                file, number, images(json.path("image")), text(json, "question"), text(json, "answer"), category);
    }

    private String text(JsonNode json, String field) {
        JsonNode value = json.path(field);
        if (!value.isTextual() || value.textValue().isBlank()) {
            throw invalid("\"" + field + "\" must be a text that is not empty.");
        }
        return value.textValue();
    }

    private List<Path> images(JsonNode value) throws IOException {
        List<Path> images = new ArrayList<>();
        if (value.isTextual()) {
            images.add(image(value));
        } else if (value.isArray()) {
            if (value.size() > MAX_IMAGES) {
                throw invalid("there are " + value.size() + " images; at most " + MAX_IMAGES + " are allowed.");
            }
            for (JsonNode name : value) {
                images.add(image(name));
            }
        } else if (!value.isMissingNode() && !value.isNull()) {
            throw invalid("\"image\" must be a file name, a list of file names, or null.");
        }
        return images;
    }

    private Path image(JsonNode name) throws IOException {
        if (!name.isTextual() || name.textValue().isEmpty()) {
            throw invalid("\"image\" must hold file names.");
        }
        String quoted = quoted(name.textValue());
        Path image;
        try {
            image = root.resolve(name.textValue()).normalize();
        } catch (InvalidPathException e) {
            throw invalid(quoted + " is no file name.");
        }
        if (!image.startsWith(root)) {
            throw invalid(
                    quoted + " lies outside the folder; put the picture into the folder and name it relative to it.");
        }
        if (!Files.isRegularFile(image, LinkOption.NOFOLLOW_LINKS)) {
            throw invalid(quoted
                    + (Files.isSymbolicLink(image)
                            ? " is a link; put the picture itself there."
                            : " is not in the folder."));
        }
        if (!image.toRealPath().equals(image)) {
            throw invalid(quoted + " is reached through a link; put the picture itself there.");
        }
        if (Files.size(image) > MAX_IMAGE_BYTES) {
            throw invalid(quoted + " has more than " + (MAX_IMAGE_BYTES >> 20) + " MiB; make it smaller.");
        }
        if (!isImage(image)) {
            throw invalid(quoted + " is no PNG, JPEG or WEBP file; convert it.");
        }
        return image;
    }

    private static boolean isImage(Path image) throws IOException {
        String head;
        try (InputStream in = Files.newInputStream(image)) {
            head = new String(in.readNBytes(12), ISO_8859_1);
        }
        return head.startsWith("\u0089PNG\r\n\u001a\n")
                || head.startsWith("\u00ff\u00d8\u00ff")
                || head.startsWith("RIFF") && head.endsWith("WEBP");
    }

    private static String quoted(String text) {
        return "\"" + (text.length() > LONGEST_QUOTE ? text.substring(0, LONGEST_QUOTE) + "..." : text) + "\"";
    }

    private DataException invalid(String message) {
        return new DataException.InvalidExample(file + ":" + number, message);
    }
}
