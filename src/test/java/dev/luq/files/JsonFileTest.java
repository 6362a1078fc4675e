package dev.luq.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonFileTest {

    @TempDir
    Path folder;

    private record Facts(long seed, double share, Optional<String> name, List<Integer> order) {}

    @Test
    void aPlainValueIsWhatComesBackFromAFile() {
        Facts facts = new Facts(1, 0.5, Optional.of("demo"), List.of(1, 0));
        Path file = folder.resolve("facts.json");
        JsonFile.write(file, facts);
        assertEquals(JsonFile.read(file, Map.class), Optional.of(JsonFile.plain(facts)));
    }
}
