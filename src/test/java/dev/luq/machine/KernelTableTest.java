package dev.luq.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.machine.KernelTrial.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelTableTest {

    private static KernelTrial right(String type, String set, String layouts, double one, double many) {
        return new KernelTrial(type, set, KernelTrial.kernelsOf(layouts), Outcome.RIGHT, one, many, "");
    }

    private static KernelTrial failed(String type, String set, String layouts, Outcome outcome, String detail) {
        return new KernelTrial(type, set, KernelTrial.kernelsOf(layouts), outcome, 0, 0, detail);
    }

    private static KernelTable table(KernelTrial... trials) {
        return new KernelTable(Arrays.asList(trials));
    }

    private static String taken(KernelTable table, String type, Kernels kernels) {
        return table.taken(type, kernels).map(KernelTrial::set).orElse("nothing");
    }

    /** The figures of a Sapphire Rapids. */
    @Test
    void theFastestIsTakenForEachTypeAndLayout() {
        KernelTable table = table(
                right("q4_K", "avx512vbmi", "both", 59.6, 80.8),
                right("q4_K", "avx512vnni", "both", 60.1, 80.7),
                right("q4_K", "AMX", "stock", 58.7, 82.5),
                right("q4_K", "rows", "stock", 30.2, 30.1),
                right("iq1_m", "avx512vbmi", "fast", 51.2, 71.3),
                right("iq1_m", "avx512vnni", "fast", 51.3, 71.3),
                right("iq1_m", "avx512vbmi", "compact", 16.1, 57.6),
                right("iq1_m", "avx512vnni", "compact", 32.3, 69.6),
                right("iq1_m", "rows", "stock", 14.3, 46.5));
        assertEquals("avx512vbmi", taken(table, "q4_K", Kernels.FAST), "what is as fast is taken by rule");
        assertEquals("avx512vbmi", taken(table, "iq1_m", Kernels.FAST));
        assertEquals("avx512vnni", taken(table, "iq1_m", Kernels.COMPACT));
        assertEquals("AMX", taken(table, "q4_K", Kernels.STOCK));
        assertEquals(Map.of("q4_K", "avx512vbmi", "iq1_m", "avx512vnni"), table.ours(Kernels.COMPACT));
        assertEquals(Map.of(), table.restrictions(), "llama.cpp takes its fastest by itself");
    }

    /** The figures of a Sapphire Rapids. */
    @Test
    void manyColumnsAreMultipliedByTheFastestGemmFromWhereItIsFaster() {
        KernelTable table = table(
                right("q4_K", "avx512vbmi", "both", 58.2, 57.6),
                right("q4_K", "rows", "stock", 30.8, 31.0),
                right("q4_K", "gemm-amxbf16", "both", 145.2, 277.8),
                right("q4_K", "gemm-avx512", "both", 55.1, 58.9),
                right("q5_0", "rows", "stock", 25.0, 30.0),
                right("q5_0", "gemm-amxbf16", "both", 32.7, 101.6),
                right("q5_0", "gemm-avx2", "both", 17.4, 32.0),
                right("iq2_s", "avx512vbmi", "fast", 43.8, 50.0),
                right("iq2_s", "gemm-amxbf16", "fast", 146.3, 275.7),
                right("mxfp4", "rows", "stock", 35.0, 40.0),
                right("mxfp4", "gemm-avx2", "both", 18.4, 41.8));
        assertEquals(
                Optional.of(new KernelTable.ManyColumns("gemm-amxbf16", 32)), table.manyColumns("q4_K", Kernels.FAST));
        assertEquals(
                Optional.of(new KernelTable.ManyColumns("gemm-amxbf16", 128)),
                table.manyColumns("q5_0", Kernels.COMPACT),
                "unpacking is worth it for more columns only");
        assertEquals(Optional.empty(), table.manyColumns("iq2_s", Kernels.COMPACT), "its panels are not there");
        assertEquals(Optional.empty(), table.manyColumns("mxfp4", Kernels.FAST), "hardly faster");
        assertEquals(Optional.empty(), table.manyColumns("q4_K", Kernels.STOCK));
        assertEquals("avx512vbmi", taken(table, "q4_K", Kernels.FAST), "a GEMM is nothing for one column");
        assertEquals(Map.of("q4_K", "avx512vbmi", "iq2_s", "avx512vbmi"), table.ours(Kernels.FAST));
    }

    @Test
    void aGemmThatWasWrongOnceIsNotUsedAtAll() {
        KernelTable table = table(
                right("q4_K", "rows", "stock", 30, 30),
                right("q4_K", "gemm-avx512", "both", 60, 90),
                failed("q4_K", "gemm-amxbf16", "both", Outcome.DIED, "SIGILL"),
                right("f16", "rows", "stock", 20, 20),
                right("f16", "gemm-amxbf16", "both", 60, 160));
        assertEquals(
                Optional.of(new KernelTable.ManyColumns("gemm-avx512", 32)), table.manyColumns("q4_K", Kernels.FAST));
        assertEquals(Optional.empty(), table.manyColumns("f16", Kernels.FAST));
        assertEquals(Set.of("gemm-amxbf16"), table.switchedOff().keySet());
    }

    @Test
    void whereOneColumnMakesNoDifferenceManyDo() {
        assertEquals(
                "slower",
                taken(
                        table(right("t", "first", "fast", 20, 40), right("t", "slower", "fast", 19, 80)),
                        "t",
                        Kernels.FAST));
        assertEquals(
                "first",
                taken(
                        table(right("t", "first", "fast", 20, 40), right("t", "slower", "fast", 17, 80)),
                        "t",
                        Kernels.FAST));
    }

    @Test
    void llamaCppsKernelsAreTakenWhereOursAreSlower() {
        KernelTable table =
                table(right("iq1_m", "avx2", "compact", 17.3, 34), right("iq1_m", "rows", "stock", 21.7, 46));
        assertEquals("rows", taken(table, "iq1_m", Kernels.COMPACT));
        assertEquals(Map.of(), table.ours(Kernels.COMPACT));
    }

    /** It would be a second copy of what is chosen for its size. */
    @Test
    void aLayoutOfLlamaCppDoesNotReplaceWhatIsCompact() {
        KernelTable table = table(
                right("q4_K", "avx2", "both", 41, 49),
                right("q4_K", "AMX", "stock", 80, 160),
                right("q4_K", "rows", "stock", 30, 30));
        assertEquals("AMX", taken(table, "q4_K", Kernels.FAST));
        assertEquals("avx2", taken(table, "q4_K", Kernels.COMPACT));
    }

    @Test
    void aSetThatDiedOrWasWrongOnceIsNotUsedAtAll() {
        KernelTable table = table(
                right("q4_K", "avx512vnni", "both", 60, 80),
                right("q4_K", "avx2", "both", 41, 49),
                right("q6_K", "avx2", "both", 30, 40),
                failed("q6_K", "avx512vnni", "both", Outcome.WRONG, "off by 7"),
                right("q4_K", "AMX", "stock", 90, 90),
                right("q4_K", "rows", "stock", 30, 30),
                failed("q8_0", "AMX", "stock", Outcome.DIED, "SIGILL"),
                failed("q4_0", "AMX", "stock", Outcome.LEFT_OUT, ""),
                right("q8_0", "rows", "stock", 26, 46),
                right("q4_0", "rows", "stock", 25, 45));
        assertEquals(
                Map.of("avx512vnni", "wrong with q6_K (off by 7)", "AMX", "died with q8_0 (SIGILL)"),
                table.switchedOff());
        assertEquals(Map.of("q4_K", "avx2", "q6_K", "avx2"), table.ours(Kernels.FAST));
        assertEquals("rows", taken(table, "q4_K", Kernels.STOCK));
        assertEquals(Map.of("AMX", Set.of()), table.restrictions());
    }

    @Test
    void rowsAreSwitchedOffForOneType() {
        KernelTable table = table(
                right("f32", "rows", "stock", 29, 72),
                failed("f16", "rows", "stock", Outcome.WRONG, "off by Infinity"));
        assertEquals(Set.of("rows of f16"), table.switchedOff().keySet());
        assertEquals("nothing", taken(table, "f16", Kernels.STOCK));
        assertEquals(Map.of("rows", Set.of("f32")), table.restrictions());
    }

    /** llama.cpp would take the first of its layouts that knows the type. */
    @Test
    void aSlowerLayoutOfLlamaCppIsLeftOutForItsType() {
        KernelTable table = table(
                right("q8_0", "AMX", "stock", 20, 40),
                right("q8_0", "rows", "stock", 26, 46),
                right("q4_0", "AMX", "stock", 80, 160),
                right("q4_0", "CPU_REPACK", "stock", 34, 63),
                right("q4_0", "rows", "stock", 25, 45));
        assertEquals(Map.of("AMX", Set.of("q4_0")), table.restrictions());
    }

    @Test
    void aFileComesBackAsItWasWritten(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("kernels.txt");
        KernelTable table = table(
                right("q4_K", "avx2", "both", 41.25, 49),
                failed("q4_K", "AMX", "stock", Outcome.DIED, "no answer in 20 s"));
        table.write(file);
        assertEquals(Optional.of(table), KernelTable.read(file));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void aFileThatIsNotWholeIsNone(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("kernels.txt");
        assertTrue(KernelTable.read(file).isEmpty());
        for (String text : List.of(
                "",
                "end\n",
                "q4_K avx2 both RIGHT 41 49\n",
                "q4_K avx2 both RIGHT 41\nend\n",
                "q4_K avx2 both FINE 41 49\nend\n",
                "q4_K avx2 both RIGHT fast 49\nend\n")) {
            Files.writeString(file, text);
            assertTrue(KernelTable.read(file).isEmpty(), text);
        }
    }

    /** What a processor is, not what it does at the moment. */
    @Test
    void theKeyIsThatOfTheProcessor(@TempDir Path folder) throws IOException {
        String first = key(
                folder,
                "model name\t: Xeon\nflags\t\t: avx2 avx512f\ncpu MHz\t: 2600.0\n\nprocessor\t: 1\nflags\t: fpu\n");
        assertEquals(first, key(folder, "cpu MHz\t: 3100.5\nflags\t\t: avx512f avx2\nmodel name\t: Xeon\n"));
        assertNotEquals(first, key(folder, "model name\t: Xeon\nflags\t\t: avx2\n"));
        assertNotEquals(first, key(folder, "model name\t: EPYC\nflags\t\t: avx2 avx512f\n"));
        assertNotEquals(key(folder, "Features\t: asimd\n"), key(folder, "Features\t: asimd asimddp\n"));
        assertTrue(first.matches("[0-9a-f]{16}"), first);
    }

    private static String key(Path folder, String cpuinfo) throws IOException {
        return CpuIdentity.read(Files.writeString(folder.resolve("cpuinfo"), cpuinfo))
                .key();
    }
}
