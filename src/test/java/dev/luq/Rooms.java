package dev.luq;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The rooms of the house: packages of {@link #BASE} with those below them. */
public final class Rooms {

    /** The package of all rooms. */
    static final String BASE = "dev.luq";

    /** Rooms whose sub-packages are rooms of their own: processes apart share nothing but what crosses between them. */
    static final Set<String> SPLIT = Set.of("decoder", "jobs", "requant");

    /** Room to the rooms that it imports, from the ground up. */
    static final Map<String, List<String>> TABLE = read(
            """
            files               :
            filecache           : files
            schema              :
            parquet             : files
            benchmarks          : files parquet
            images              : files
            machine             : files
            gguf                : files
            llama               : gguf machine
            memory              : gguf machine
            prompt              : llama schema
            engine              : filecache files gguf llama prompt
            requant.lanes       :
            requant.data        : files
            requant.plan        : gguf memory
            requant.spec        : files memory requant.plan
            requant.store       : files gguf requant.plan
            requant.quantize    : files gguf llama requant.plan requant.store
            requant.feed        : images llama machine prompt requant.data
            requant.calibrate   : files gguf llama requant.data requant.feed
            requant.rank        : gguf llama machine requant.calibrate requant.feed requant.lanes requant.plan
            requant.measure     : files requant.data requant.feed requant.lanes
            requant.report      : files gguf memory requant.measure requant.plan
            process             : files
            requant.speed       : gguf llama machine memory process
            requant.pipeline    : files gguf llama machine memory requant.calibrate requant.data requant.feed \
                                  requant.measure requant.plan requant.quantize requant.rank requant.report requant.spec \
                                  requant.speed requant.store
            protocol            : gguf machine requant.spec
            worker              : engine filecache files gguf llama machine process prompt protocol
            catalog             : files gguf machine protocol requant.plan requant.store
            serving             : catalog filecache files gguf machine memory process protocol
            decoder.protocol    : images
            decoder.child       : decoder.protocol images process
            decoder             : decoder.protocol images machine process serving
            datasets            : files requant.data
            jobs.child          : files process protocol requant.pipeline requant.spec
            jobs                : files process protocol requant.plan requant.spec serving
            http                : files machine serving
            openai              : catalog decoder files http images protocol schema serving
            anthropic           : catalog http openai protocol
            admin               : catalog datasets files gguf http jobs machine memory requant.plan requant.spec serving
            telemetry           : catalog decoder jobs protocol requant.spec serving
            cli                 : benchmarks catalog files gguf llama machine memory protocol requant.measure \
                                  requant.pipeline requant.plan requant.report requant.spec requant.store serving
            """);

    private Rooms() {}

    private static Map<String, List<String>> read(String table) {
        Map<String, List<String>> rooms = new LinkedHashMap<>();
        table.lines().forEach(line -> {
            String[] row = line.split(":", 2);
            rooms.put(
                    row[0].strip(),
                    Arrays.stream(row[1].strip().split(" +"))
                            .filter(room -> !room.isEmpty())
                            .toList());
        });
        return rooms;
    }

    /** The room of a package; empty for one of none. */
    static Optional<String> of(String base, String packageName) {
        if (!packageName.startsWith(base + ".")) {
            return Optional.empty();
        }
        String rest = packageName.substring(base.length() + 1);
        return TABLE.keySet().stream()
                .filter(room -> rest.equals(room) || rest.startsWith(room + ".") && !SPLIT.contains(room))
                .findFirst();
    }

    /** What a room imports, and they in turn. */
    static Set<String> reachable(String room) {
        Set<String> found = new TreeSet<>();
        TABLE.get(room).forEach(other -> {
            if (found.add(other)) {
                found.addAll(reachable(other));
            }
        });
        return found;
    }
}
