package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/** What the clients of a comparison of servers do. */
@SuppressWarnings("ImmutableEnumChecker") // functions without state
enum ServeWorkload {
    TEXT("text", false, ServeRequests::text, null),
    NEW_PICTURES("new-pictures", true, ServeRequests::newPicture, null),
    SEEN_PICTURES("seen-pictures", true, ServeRequests::seenPicture, null),
    STREAM_BESIDE_PICTURES("stream-beside-pictures", true, ServeRequests::stream, ServeRequests::pictureBeside),
    STREAM_BESIDE_PROMPTS("stream-beside-prompts", false, ServeRequests::stream, ServeRequests::longPrompt);

    private final String label;
    private final boolean pictures;
    private final BiFunction<ServeRequests, Integer, ObjectNode> request;
    private final BiFunction<ServeRequests, Integer, ObjectNode> beside;

    ServeWorkload(
            String label,
            boolean pictures,
            BiFunction<ServeRequests, Integer, ObjectNode> request,
            BiFunction<ServeRequests, Integer, ObjectNode> beside) {
        this.label = label;
        this.pictures = pictures;
        this.request = request;
        this.beside = beside;
    }

    /** @throws CliException when there is none of this name */
    static ServeWorkload named(String label) {
        return Arrays.stream(values())
                .filter(workload -> workload.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new CliException(
                        "There is no workload " + label + ", but " + String.join(", ", labels()) + "."));
    }

    static List<String> labels() {
        return Arrays.stream(values()).map(ServeWorkload::label).collect(Collectors.toList());
    }

    String label() {
        return label;
    }

    /** Whether it needs a model that reads pictures. */
    boolean hasPictures() {
        return pictures;
    }

    /** Whether it is about one stream that others disturb: its number of clients is not free. */
    boolean isOneStream() {
        return beside != null;
    }

    /** What the clients that are measured ask. */
    ObjectNode request(ServeRequests requests, int number) {
        return request.apply(requests, number);
    }

    /** What the others ask, if there are any. */
    Optional<ObjectNode> beside(ServeRequests requests, int number) {
        return Optional.ofNullable(beside).map(function -> function.apply(requests, number));
    }
}
