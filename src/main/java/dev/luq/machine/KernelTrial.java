package dev.luq.machine;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * One type of weights multiplied by one set of kernels on this machine.
 *
 * @param type ggml's name, such as {@code q4_K}
 * @param set an instruction set of our kernels, or one of our GEMMs, for many columns only, such as {@code gemm-avx2}; of
 *     llama.cpp's {@code rows}, weights as they lie in the file, or a layout
 *     such as {@code AMX}
 * @param kernels which of our layouts have it: FAST, COMPACT or both; STOCK alone: llama.cpp's
 * @param outcome what became of it
 * @param one billions of products a second on one core with one column of activations, as when a token is generated, and
 *     with 32 of a GEMM; from cache. 0 unless right
 * @param many the same with 32 columns, as when a prompt is read, and with 128 of a GEMM
 * @param detail why it is not right, such as {@code SIGILL}; empty if it is
 */
public record KernelTrial(
        String type, String set, Set<Kernels> kernels, Outcome outcome, double one, double many, String detail) {

    /** llama.cpp's kernels for weights as they lie in the file. */
    public static final String ROWS = "rows";

    private static final String GEMM = "gemm-";
    private static final int FIELDS = 7;
    private static final String BOTH = "both";

    /** What became of a trial. */
    public enum Outcome {
        RIGHT,
        WRONG,
        /** The process ended or hung. */
        DIED,
        /** Not tried any more: the set had died or been wrong before. */
        LEFT_OUT
    }

    public KernelTrial {
        kernels = Set.copyOf(kernels);
    }

    /**
     * Reads what {@link #layouts} writes.
     *
     * @throws IllegalArgumentException for any other text
     */
    public static Set<Kernels> kernelsOf(String layouts) {
        return layouts.equals(BOTH)
                ? EnumSet.of(Kernels.FAST, Kernels.COMPACT)
                : EnumSet.of(Kernels.valueOf(layouts.toUpperCase(Locale.ROOT)));
    }

    /** {@code fast}, {@code compact}, {@code both} or {@code stock}. */
    public String layouts() {
        return kernels.size() == 1 ? kernels.iterator().next().configName() : BOTH;
    }

    /** Whether llama.cpp's kernels were tried. */
    public boolean stock() {
        return kernels.contains(Kernels.STOCK);
    }

    /** Whether llama.cpp's kernels were tried with weights as they lie in the file. */
    public boolean rows() {
        return set.equals(ROWS);
    }

    /** Whether it was one of our GEMMs, which multiply many columns only. */
    public boolean gemm() {
        return set.startsWith(GEMM);
    }

    boolean right() {
        return outcome == Outcome.RIGHT;
    }

    String line() {
        return String.format(Locale.ROOT, "%s %s %s %s %.2f %.2f %s", type, set, layouts(), outcome, one, many, detail)
                .strip();
    }

    /** @return empty for anything that {@link #line} does not write */
    static Optional<KernelTrial> read(String line) {
        List<String> words = List.of((line + " ").split(" ", FIELDS));
        try {
            return words.size() < FIELDS
                    ? Optional.empty()
                    : Optional.of(new KernelTrial(
                            words.get(0),
                            words.get(1),
                            kernelsOf(words.get(2)),
                            Outcome.valueOf(words.get(3)),
                            Double.parseDouble(words.get(4)),
                            Double.parseDouble(words.get(5)),
                            words.get(6).strip()));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
