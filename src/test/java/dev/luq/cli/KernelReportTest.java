package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.machine.KernelTable;
import dev.luq.machine.KernelTrial;
import dev.luq.machine.KernelTrial.Outcome;
import dev.luq.machine.Kernels;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KernelReportTest {

    @Test
    void aLineForEachTypeSaysWhatIsRightAndWhatIsTaken() {
        KernelTable table = new KernelTable(List.of(
                right("f32", "rows", "stock", 29.7),
                right("q4_K", "avx512vnni", "both", 60.14),
                right("q4_K", "avx2", "both", 41.2),
                new KernelTrial("q4_K", "AMX", Set.of(Kernels.STOCK), Outcome.DIED, 0, 0, "SIGILL"),
                right("q4_K", "rows", "stock", 30.2),
                right("q4_K", "gemm-avx2", "both", 100),
                right("iq1_m", "avx512vnni", "fast", 51.3),
                right("iq1_m", "avx2", "fast", 36.1),
                right("iq1_m", "avx512vnni", "compact", 32.3),
                new KernelTrial("iq1_m", "avx2", Set.of(Kernels.COMPACT), Outcome.RIGHT, 10, 1, ""),
                right("iq1_m", "rows", "stock", 14.3),
                new KernelTrial("q8_0", "AMX", Set.of(Kernels.STOCK), Outcome.LEFT_OUT, 0, 0, ""),
                new KernelTrial("q8_0", "rows", Set.of(Kernels.STOCK), Outcome.WRONG, 0, 0, "off by 9")));
        assertEquals(
                List.of(
                        "kernels            13 tried against plain C++, switched off on this machine:",
                        "                   AMX: died with q4_K (SIGILL)",
                        "                   rows of q8_0: wrong with q8_0 (off by 9)",
                        "",
                        "Billions of weights a second, one column of activations (gemm: of products, 128 columns), one core,"
                                + " from cache; then what is taken for each of luq.worker.kernels.",
                        "type           avx512vnni  avx2  gemm-avx2   AMX   rows  fast                         compact                      stock",
                        "f32                                                29.7  rows                         rows                         rows",
                        "q4_K                 60.1  41.2      200.0  died   30.2  avx512vnni, 128+: gemm-avx2  avx512vnni, 128+: gemm-avx2  rows",
                        "iq1_m fast           51.3  36.1                    14.3  avx512vnni                                                rows",
                        "iq1_m compact        32.3  10.0                    14.3                               avx512vnni                   rows",
                        "q8_0                                         off  wrong  plain C++                    plain C++                    plain C++"),
                new KernelReport(table).lines());
    }

    private static KernelTrial right(String type, String set, String layouts, double one) {
        return new KernelTrial(type, set, KernelTrial.kernelsOf(layouts), Outcome.RIGHT, one, 2 * one, "");
    }
}
