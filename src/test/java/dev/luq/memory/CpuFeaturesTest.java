package dev.luq.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.gguf.GgmlType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuFeaturesTest {

    @TempDir
    Path folder;

    @Test
    void linuxNamesTheFeaturesOfX86() throws IOException {
        CpuFeatures old =
                read("processor\t: 0\nmodel name\t: An old one\nflags\t\t: fpu sse sse4_2 avx f16c\nbugs\t\t:\n");
        assertEquals(Set.of("fpu", "sse", "sse4_2", "avx", "f16c"), old.features());
        assertFalse(old.hasKernels());
        assertEquals(Set.of(), old.repacked());
        assertTrue(read("flags\t\t: avx avx2 fma f16c\n").hasKernels());
    }

    @Test
    void linuxNamesTheFeaturesOfArm() throws IOException {
        CpuFeatures first = read("processor\t: 0\nFeatures\t: fp asimd evtstrm\nCPU part\t: 0xd03\n");
        assertFalse(first.hasKernels());
        assertEquals(Set.of(), first.repacked());
        CpuFeatures later = read("Features\t: fp asimd asimdhp asimddp\n");
        assertTrue(later.hasKernels());
        assertTrue(later.repacked().contains(GgmlType.Q6_K));
    }

    @Test
    void whereTheSystemDoesNotSayItIsAUsualOne() {
        assertTrue(CpuFeatures.read(folder.resolve("nowhere")).hasKernels());
    }

    private CpuFeatures read(String cpuinfo) throws IOException {
        return CpuFeatures.read(Files.writeString(folder.resolve("cpuinfo"), cpuinfo));
    }
}
