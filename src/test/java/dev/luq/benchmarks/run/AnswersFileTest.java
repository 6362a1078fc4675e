package dev.luq.benchmarks.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Integration;
import dev.luq.SmallDisk;
import dev.luq.benchmarks.scoring.Reference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class AnswersFileTest {

    private static final int DISK = 1 << 16;

    @TempDir
    Path folder;

    private static AnswerLine line(String id, int characters) {
        return new AnswerLine(id, "?", "a".repeat(characters), null, null, Reference.of(List.of("a"), null));
    }

    @Test
    void aLineThatDoesNotFitLeavesNoHalf() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(folder.resolve("disk"), DISK)) {
            Path path = disk.path().resolve("a.jsonl");
            RunHeader header = new RunHeader("gqa", "form", "model", null, null, null, "lmms-eval", 16);
            try (AnswersFile file = AnswersFile.open(path, header)) {
                file.append(line("1", 10));
                long size = Files.size(path);
                assertThrows(IOException.class, () -> file.append(line("2", 2 * DISK)));
                assertEquals(size, Files.size(path));
                file.append(line("3", 10));
                assertEquals(Set.of("1", "3"), file.answered());
            }
        }
    }
}
