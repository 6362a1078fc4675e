package dev.luq.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.Integration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Trees as systemd, Docker, containerd and Kubernetes make them. */
@Integration
class ProcessorsTest {

    private static final int HOST = 8;

    @TempDir
    Path root;

    @BeforeEach
    void aHostOfEight() throws IOException {
        write("online", "0-7");
        write("proc/self/status", "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t0-127\nMems_allowed_list:\t0");
    }

    private int count() {
        return new Processors(root.resolve("proc"), root.resolve("online"), 99).count();
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text + "\n");
    }

    /**
     * @param group in /proc/self/cgroup
     * @param seen which group the mount shows as its top
     */
    private void unified(String group, String seen) throws IOException {
        write("proc/self/cgroup", "0::" + group);
        write(
                "proc/self/mountinfo",
                "24 1 0:22 / /proc rw,nosuid - proc proc rw\n" + "31 24 0:27 " + seen + " " + root.resolve("cgroup")
                        + " rw,nosuid,nodev shared:4 - cgroup2 cgroup2 rw,nsdelegate");
    }

    private void legacy(String group, String seen) throws IOException {
        write(
                "proc/self/cgroup",
                "12:memory:" + group + "\n5:cpu,cpuacct:" + group + "\n3:cpuset:" + group + "\n0::" + group);
        write(
                "proc/self/mountinfo",
                "40 30 0:33 " + seen + " " + root.resolve("memory") + " ro - cgroup cgroup rw,memory\n" + "42 30 0:35 "
                        + seen + " " + root.resolve("cpu,cpuacct") + " ro - cgroup cgroup rw,cpu,cpuacct");
    }

    @Test
    void withoutControlGroupsAllThatAreOnlineCount() {
        assertEquals(HOST, count());
    }

    @ParameterizedTest
    @CsvSource({
        "'400000 100000', 4",
        "'350000 100000', 3",
        "'199999 100000', 1",
        "'50000 100000', 1",
        "'max 100000', 8",
        "'1600000 100000', 8",
        "'20000 10000', 2"
    })
    void aQuotaIsRoundedDown(String max, int expected) throws IOException {
        unified("/", "/");
        write("cgroup/cpu.max", max);
        assertEquals(expected, count());
    }

    /** ollama 17916: a pod of 4 processors below a slice of 2.5, the service itself without a quota. */
    @Test
    void theTightestGroupUpTheHierarchyCounts() throws IOException {
        unified("/kubepods.slice/pod7/luq.scope", "/");
        write("cgroup/kubepods.slice/pod7/luq.scope/cpu.max", "max 100000");
        write("cgroup/kubepods.slice/pod7/cpu.max", "400000 100000");
        assertEquals(4, count());
        write("cgroup/kubepods.slice/cpu.max", "250000 100000");
        assertEquals(2, count());
    }

    /** With a namespace of its own a container's group is the top, and the file says / or a path outside. */
    @ParameterizedTest
    @CsvSource({"/, /", "/../../pod7/luq, /", "/docker/abc, /docker/abc", "/docker/abc/init, /docker/abc"})
    void aContainerSeesItsOwnGroupAsTheTop(String group, String seen) throws IOException {
        unified(group, seen);
        write("cgroup/cpu.max", "300000 100000");
        assertEquals(3, count());
    }

    @ParameterizedTest
    @CsvSource({"350000, 100000, 3", "-1, 100000, 8", "25000, 50000, 1"})
    void versionOneHasTwoFiles(String quota, String period, int expected) throws IOException {
        legacy("/docker/abc", "/docker/abc");
        write("cpu,cpuacct/cpu.cfs_quota_us", quota);
        write("cpu,cpuacct/cpu.cfs_period_us", period);
        assertEquals(expected, count());
    }

    @Test
    void versionOneIsWalkedUpToo() throws IOException {
        legacy("/system.slice/luq.service", "/");
        write("cpu,cpuacct/system.slice/luq.service/cpu.cfs_quota_us", "-1");
        write("cpu,cpuacct/system.slice/luq.service/cpu.cfs_period_us", "100000");
        write("cpu,cpuacct/system.slice/cpu.cfs_quota_us", "200000");
        write("cpu,cpuacct/system.slice/cpu.cfs_period_us", "100000");
        assertEquals(2, count());
    }

    /** A cpuset narrows the affinity of those in it, in both versions. */
    @ParameterizedTest
    @CsvSource({"0-1, 2", "'0,2,4-5', 4", "3, 1", "'6-9', 2"})
    void affinityAndCpusetCount(String allowed, int expected) throws IOException {
        write("proc/self/status", "Cpus_allowed_list:\t" + allowed);
        assertEquals(expected, count());
        unified("/", "/");
        write("cgroup/cpu.max", "100000 100000");
        assertEquals(1, count());
    }

    @ParameterizedTest
    @CsvSource({"'max'", "''", "'-5 100000'", "'99999999999999999999 1'", "'100000 0'", "'a b'"})
    void whatCannotBeReadLimitsNothing(String max) throws IOException {
        unified("/", "/");
        write("cgroup/cpu.max", max);
        assertEquals(HOST, count());
        write("proc/self/mountinfo", "nonsense\n31 24 0:27 / - cgroup2\n\n - ");
        assertEquals(HOST, count());
    }

    @Test
    void whereTheSystemSaysNothingTheJvmDoes() throws IOException {
        Files.delete(root.resolve("proc/self/status"));
        assertEquals(99, count());
        write("proc/self/status", "Cpus_allowed_list:\tall");
        assertEquals(99, count());
    }

    @Test
    void anExplicitNumberIsTaken() {
        assertEquals(3, Processors.threads(3));
        assertEquals(Processors.available(), Processors.threads(0));
        assertTrue(Processors.available() >= 1);
    }

    /** Prints {@link Processors#available}. */
    public static final class Printer {
        private Printer() {}

        public static void main(String[] arguments) {
            System.out.println(Processors.available());
        }
    }

    private static int printed(String... before) throws Exception {
        List<String> java = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx16m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Printer.class.getName());
        List<String> command = new ArrayList<>(List.of(before));
        command.addAll(java);
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
        assertEquals(0, process.waitFor());
        return Integer.parseInt(out);
    }

    @Test
    void aRealAffinityCounts() throws Exception {
        assumeTrue(Processors.available() > 1 && Files.isExecutable(Path.of("/usr/bin/taskset")));
        String own = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("Cpus_allowed_list"))
                .findFirst()
                .orElseThrow()
                .replaceAll("\\D*(\\d+).*", "$1");
        assertEquals(1, printed("/usr/bin/taskset", "-c", own));
    }

    /** Where this process may make control groups, of either version: one of a processor and a half. */
    @ParameterizedTest
    @CsvSource({"/sys/fs/cgroup, cpu.max, 150000 100000", "/sys/fs/cgroup/cpu, cpu.cfs_quota_us, 150000"})
    void aRealQuotaCounts(Path groups, String file, String quota) throws Exception {
        Path group = groups.resolve("luq-test-" + ProcessHandle.current().pid());
        try {
            Files.createDirectory(group);
        } catch (IOException e) {
            assumeTrue(false, "control groups cannot be made here: " + e.getMessage());
        }
        try {
            assumeTrue(Files.exists(group.resolve(file)), "the group has no quota of processors");
            Files.writeString(group.resolve(file), quota);
            assertEquals(
                    1, printed("sh", "-c", "echo $$ > " + group.resolve("cgroup.procs") + " && exec \"$@\"", "sh"));
        } finally {
            Files.deleteIfExists(group);
        }
    }
}
