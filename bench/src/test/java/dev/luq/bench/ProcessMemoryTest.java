package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.cli.CliException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {

    @Test
    void countsMappedModelsApart() {
        ProcessMemory memory = ProcessMemory.parse(List.of(
                "55d0c0000000-55d0c0010000 r-xp 00000000 fe:01 1234                       /usr/bin/java",
                "Size:                 64 kB",
                "Rss:                  40 kB",
                "Pss:                  20 kB",
                "Pss_Dirty:             8 kB",
                "7f0000000000-7f0000100000 r--s 00000000 fe:01 99                         /data/my model.gguf",
                "Rss:                1000 kB",
                "Pss:                 500 kB",
                "7f0000200000-7f0000300000 rw-p 00000000 00:00 0 ",
                "Rss:                   4 kB",
                "Pss:                   4 kB"));
        assertEquals(new ProcessMemory(1044 * 1024, 524 * 1024, 1000 * 1024, 500 * 1024), memory);
        assertEquals(44 * 1024, memory.residentWithoutModel());
        assertEquals(24 * 1024, memory.proportionalWithoutModel());
    }

    @Test
    void readsTheKernelsOwnFormat() {
        ProcessMemory own = ProcessMemory.of(ProcessHandle.current().pid());
        assertTrue(own.resident() > 10 << 20, own::toString);
        assertTrue(own.proportional() <= own.resident(), own::toString);
    }

    @Test
    void saysWhenThereIsNoSuchProcess() {
        assertThrows(CliException.class, () -> ProcessMemory.of(Integer.MAX_VALUE));
    }
}
