package dev.luq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** ARCHITECTURE.md shows the rooms as {@link Rooms} has them and as they describe themselves. */
class ArchitectureTest {

    private static final Path PAGE = Path.of("ARCHITECTURE.md");
    private static final String REQUANT = "requant";
    /** The rooms that each kind of process begins with; whatever these import runs there too. */
    private static final Map<String, List<String>> PROCESSES = new LinkedHashMap<>();

    static {
        PROCESSES.put("server", List.of("http", "openai", "anthropic", "admin", "telemetry"));
        PROCESSES.put("worker", List.of("worker"));
        PROCESSES.put("job", List.of("jobs.child"));
        PROCESSES.put("decoder", List.of("decoder.child"));
        PROCESSES.put("command", List.of("cli"));
    }

    private static Map<String, String> sentences;

    @BeforeAll
    static void read() throws IOException {
        sentences = Sources.packages();
    }

    @Test
    void everyRoomSaysWhatItIsFor() {
        List<String> silent = Rooms.TABLE.keySet().stream()
                .filter(room -> sentence(room).isEmpty())
                .toList();
        assertTrue(silent.isEmpty(), "rooms without a package-info.java that begins with a sentence: " + silent);
    }

    @Test
    void theTableIsThatOfTheRooms() throws IOException {
        StringBuilder table = new StringBuilder("| room | what it is for | imports | runs in |\n|---|---|---|---|\n");
        Rooms.TABLE.forEach((room, imports) -> table.append("| [")
                .append(room)
                .append("](")
                .append(folder(room))
                .append(") | ")
                .append(sentence(room).replace("|", "\\|"))
                .append(" | ")
                .append(String.join(", ", imports))
                .append(" | ")
                .append(String.join(", ", processes(room)))
                .append(" |\n"));
        GeneratedBlock.check(PAGE, "rooms", table.toString());
    }

    @Test
    void thePictureIsThatOfTheRooms() throws IOException {
        GeneratedBlock.check(PAGE, "picture of the rooms", picture(collapsed(ArchitectureTest::outer)));
    }

    @Test
    void thePictureOfRequantIsThatOfItsRooms() throws IOException {
        Map<String, Set<String>> inside = new TreeMap<>(collapsed(UnaryOperator.identity()));
        inside.keySet().removeIf(room -> !room.startsWith(REQUANT + "."));
        inside.replaceAll((room, imports) ->
                imports.stream().filter(inside::containsKey).collect(Collectors.toCollection(TreeSet::new)));
        GeneratedBlock.check(PAGE, "picture of requant", picture(inside));
    }

    /** What is drawn leaves out arrows that follow from others, and nothing else. */
    @Test
    void aReducedGraphReachesTheSame() {
        Map<String, Set<String>> graph =
                Map.of("a", Set.of("b", "c", "d"), "b", Set.of("c"), "c", Set.of(), "d", Set.of());
        assertEquals(Map.of("a", Set.of("b", "d"), "b", Set.of("c"), "c", Set.of(), "d", Set.of()), reduced(graph));
    }

    private static String outer(String room) {
        return room.startsWith(REQUANT + ".") ? REQUANT : room;
    }

    /** The import table with rooms renamed, those of one name as one. */
    private static Map<String, Set<String>> collapsed(UnaryOperator<String> name) {
        Map<String, Set<String>> graph = new LinkedHashMap<>();
        Rooms.TABLE.forEach((room, imports) -> imports.stream()
                .map(name)
                .filter(other -> !other.equals(name.apply(room)))
                .forEach(graph.computeIfAbsent(name.apply(room), any -> new TreeSet<>())::add));
        return graph;
    }

    private static Map<String, Set<String>> reduced(Map<String, Set<String>> graph) {
        Map<String, Set<String>> reduced = new LinkedHashMap<>();
        graph.forEach((room, imports) -> {
            Set<String> left = new TreeSet<>(imports);
            imports.forEach(other -> left.removeAll(reachable(graph, other)));
            reduced.put(room, left);
        });
        return reduced;
    }

    private static Set<String> reachable(Map<String, Set<String>> graph, String room) {
        Set<String> found = new TreeSet<>();
        graph.get(room).forEach(other -> {
            if (found.add(other)) {
                found.addAll(reachable(graph, other));
            }
        });
        return found;
    }

    private static String picture(Map<String, Set<String>> graph) {
        List<String> lines = new ArrayList<>(List.of("```mermaid", "flowchart TD"));
        graph.keySet().forEach(room -> lines.add("    " + id(room) + "[\"" + room + "\"]" + style(room)));
        reduced(graph)
                .forEach((room, imports) ->
                        imports.forEach(other -> lines.add("    " + id(room) + " --> " + id(other))));
        lines.add("    classDef server fill:#dbeafe,stroke:#1d4ed8,color:#111");
        lines.add("    classDef child fill:#fef3c7,stroke:#b45309,color:#111");
        lines.add("    classDef shared fill:#f3f4f6,stroke:#6b7280,color:#111");
        lines.add("```");
        return String.join("\n", lines);
    }

    private static String id(String room) {
        return room.replace('.', '_');
    }

    private static String style(String room) {
        List<String> where = Rooms.TABLE.containsKey(room) ? processes(room) : List.of();
        boolean server = where.contains("server");
        boolean child = where.contains("worker") || where.contains("job") || where.contains("decoder");
        return server == child ? ":::shared" : server ? ":::server" : ":::child";
    }

    /** Kinds of processes whose code needs this room. */
    private static List<String> processes(String room) {
        return PROCESSES.keySet().stream()
                .filter(process -> PROCESSES.get(process).stream()
                        .anyMatch(entry ->
                                entry.equals(room) || Rooms.reachable(entry).contains(room)))
                .toList();
    }

    private static String sentence(String room) {
        return sentences.getOrDefault(Rooms.BASE + "." + room, "");
    }

    private static Path folder(String room) {
        return Sources.MAIN.resolve("dev/luq").resolve(room.replace('.', '/'));
    }
}
