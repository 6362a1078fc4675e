package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {

    @TempDir
    Path root;

    @Test
    void withoutAGroupTheMachineIsTheLimit() throws IOException {
        write("proc/meminfo", "MemTotal:  4000 kB\nMemAvailable:    1000 kB\n");
        assertEquals(OptionalLong.of(1_024_000), memory().available());
        assertEquals(OptionalLong.of(4_096_000), memory().total());
    }

    @Test
    void theNarrowestGroupCountsAndPagesThatNobodyNeedsAreFree() throws IOException {
        write("proc/meminfo", "MemAvailable:    1000 kB\n");
        write("proc/self/cgroup", "0::/pod/server\n");
        write("proc/self/mountinfo", "31 24 0:27 / " + root.resolve("cgroup") + " rw - cgroup2 cgroup2 rw\n");
        write("cgroup/pod/memory.max", "700000\n");
        write("cgroup/pod/memory.current", "500000\n");
        write("cgroup/pod/memory.stat", "anon 4\ninactive_file 100000\nactive_file 7\n");
        write("cgroup/pod/server/memory.max", "max\n");
        write("cgroup/pod/server/memory.current", "1\n");
        assertEquals(OptionalLong.of(300_000), memory().available());
        write("cgroup/memory.max", "1000\n");
        write("cgroup/memory.current", "900\n");
        assertEquals(OptionalLong.of(100), memory().available());
        assertEquals(OptionalLong.of(1000), memory().total());
    }

    /** Docker on an older system: the container sees its own group as the top. */
    @Test
    void versionOneOfControlGroupsCountsToo() throws IOException {
        write("proc/meminfo", "MemTotal:  4000 kB\nMemAvailable:    1000 kB\n");
        write("proc/self/cgroup", "12:memory:/docker/abc\n5:cpu,cpuacct:/docker/abc\n0::/docker/abc\n");
        write(
                "proc/self/mountinfo",
                "40 30 0:33 /docker/abc " + root.resolve("memory") + " ro - cgroup cgroup rw,memory\n");
        write("memory/memory.limit_in_bytes", "700000\n");
        write("memory/memory.usage_in_bytes", "500000\n");
        write("memory/memory.stat", "inactive_file 5\ntotal_inactive_file 100000\n");
        assertEquals(OptionalLong.of(300_000), memory().available());
        assertEquals(OptionalLong.of(700_000), memory().total());
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assertEquals(OptionalLong.of(1_024_000), memory().available());
        assertEquals(OptionalLong.of(4_096_000), memory().total());
    }

    @Test
    void whatTheSystemDoesNotSayIsUnknown() {
        assertEquals(OptionalLong.empty(), memory().available());
        assertEquals(OptionalLong.empty(), memory().total());
        assertEquals(OptionalLong.empty(), memory().anonymous(1));
        assertEquals(OptionalLong.empty(), memory().resident(1));
    }

    @Test
    void thisMachineSays() {
        MachineMemory here = MachineMemory.ofThisMachine();
        assertTrue(here.available().orElseThrow() > 0);
        assertTrue(here.total().orElseThrow() > here.available().orElseThrow());
        long anonymous = here.anonymous(ProcessHandle.current().pid()).orElseThrow();
        assertTrue(anonymous > 1 << 20);
        assertTrue(here.resident(ProcessHandle.current().pid()).orElseThrow() > anonymous / 2);
    }

    @Test
    void aTenthIsNotForModelsAndNoLessThanAQuarterOfAGibibyte() throws IOException {
        write("proc/meminfo", "MemTotal:  16777216 kB\n");
        assertEquals((16L << 30) - (16L << 30) / 10, ModelLoader.limit(TestConfig.of(Map.of()), memory()));
        write("proc/meminfo", "MemTotal:  1048576 kB\n");
        assertEquals(768L << 20, ModelLoader.limit(TestConfig.of(Map.of()), memory()));
        assertEquals(5, ModelLoader.limit(TestConfig.of(Map.of("memory-limit-bytes", "5")), memory()));
    }

    private MachineMemory memory() {
        return new MachineMemory(root.resolve("proc"));
    }

    private void write(String file, String content) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
    }
}
