package dev.luq.helm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files as the kernel's documentation shows them: cgroup-v1/memory.rst and cgroup-v2.rst. */
class CgroupMemoryTest {

    @TempDir
    private Path root;

    @Test
    void theFirstVersionHasATreeForMemory() throws IOException {
        Path group = Files.createDirectories(root.resolve("memory/luq-deploy/a"));
        Files.writeString(group.resolve("memory.usage_in_bytes"), "123456789\n");
        Files.writeString(group.resolve("memory.stat"), "inactive_file 5\ntotal_inactive_file 56789\n");
        Files.writeString(group.resolve("memory.limit_in_bytes"), "200000000\n");
        Files.writeString(group.resolve("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
        assertCounts();
    }

    @Test
    void theSecondVersionHasOneTreeForAll() throws IOException {
        Files.writeString(root.resolve("cgroup.controllers"), "cpuset cpu io memory pids\n");
        Path group = Files.createDirectories(root.resolve("luq-deploy/a"));
        Files.writeString(group.resolve("memory.current"), "123456789\n");
        Files.writeString(group.resolve("memory.stat"), "anon 1\ninactive_file 56789\n");
        Files.writeString(group.resolve("memory.max"), "200000000\n");
        Files.writeString(
                group.resolve("memory.events"), "low 0\nhigh 0\nmax 31\noom 3\noom_kill 2\noom_group_kill 1\n");
        assertCounts();
    }

    private void assertCounts() throws IOException {
        CgroupMemory group = new CgroupMemory(root, "/luq-deploy/a");
        assertEquals(123_400_000, group.workingSet());
        assertEquals(200_000_000, group.limit());
        assertEquals(2, group.killed());
    }
}
