package dev.luq.gguf;

import java.util.Map;
import java.util.Optional;

/** Names of {@code general.file_type} numbers, as {@code llama_ftype_name} of llama.cpp v0.5.0 prints them. */
final class FileTypes {

    private static final Map<Long, String> NAMES = Map.ofEntries(
            Map.entry(0L, "all F32"),
            Map.entry(1L, "F16"),
            Map.entry(2L, "Q4_0"),
            Map.entry(3L, "Q4_1"),
            Map.entry(7L, "Q8_0"),
            Map.entry(8L, "Q5_0"),
            Map.entry(9L, "Q5_1"),
            Map.entry(10L, "Q2_K - Medium"),
            Map.entry(11L, "Q3_K - Small"),
            Map.entry(12L, "Q3_K - Medium"),
            Map.entry(13L, "Q3_K - Large"),
            Map.entry(14L, "Q4_K - Small"),
            Map.entry(15L, "Q4_K - Medium"),
            Map.entry(16L, "Q5_K - Small"),
            Map.entry(17L, "Q5_K - Medium"),
            Map.entry(18L, "Q6_K"),
            Map.entry(19L, "IQ2_XXS - 2.0625 bpw"),
            Map.entry(20L, "IQ2_XS - 2.3125 bpw"),
            Map.entry(21L, "Q2_K - Small"),
            Map.entry(22L, "IQ3_XS - 3.3 bpw"),
            Map.entry(23L, "IQ3_XXS - 3.0625 bpw"),
            Map.entry(24L, "IQ1_S - 1.5625 bpw"),
            Map.entry(25L, "IQ4_NL - 4.5 bpw"),
            Map.entry(26L, "IQ3_S - 3.4375 bpw"),
            Map.entry(27L, "IQ3_S mix - 3.66 bpw"),
            Map.entry(28L, "IQ2_S - 2.5 bpw"),
            Map.entry(29L, "IQ2_M - 2.7 bpw"),
            Map.entry(30L, "IQ4_XS - 4.25 bpw"),
            Map.entry(31L, "IQ1_M - 1.75 bpw"),
            Map.entry(32L, "BF16"),
            Map.entry(36L, "TQ1_0 - 1.69 bpw ternary"),
            Map.entry(37L, "TQ2_0 - 2.06 bpw ternary"),
            Map.entry(38L, "MXFP4 MoE"),
            Map.entry(39L, "NVFP4"),
            Map.entry(40L, "Q1_0"),
            Map.entry(41L, "Q2_0"));

    private FileTypes() {}

    static Optional<String> name(long fileType) {
        return Optional.ofNullable(NAMES.get(fileType));
    }
}
