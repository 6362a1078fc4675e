package dev.luq.luq.feed;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Numbers of a model that are not finite.
 *
 * @param where the matrix whose product they appear in first, such as {@code blk.3.ffn_up.weight}, or the layer's output
 *     such as {@code l_out-3}; empty when they did not appear again
 * @param damaged a tensor whose weights are not finite themselves
 */
record NotFinite(Optional<String> where, Optional<String> damaged) {

    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\..*|l_out-(\\d{1,6})");

    /** The layer that a tensor belongs to; empty for one of none. */
    static Optional<Integer> layerOf(String tensor) {
        Matcher matcher = LAYER.matcher(tensor);
        return matcher.matches() ? Optional.of(Integer.valueOf(matcher.group(1) != null ? matcher.group(1) : matcher.group(2)))
                : Optional.empty();
    }

    @Override
    public String toString() {
        String place = where.map(name -> "first at " + name
                        + layerOf(name).map(layer -> " in layer " + layer).orElse(""))
                .orElse("but not when the same was computed again");
        String reason = damaged.map(name -> "The weights of " + name + " are not finite: the file is damaged. Fetch or"
                        + " convert it again.")
                .orElse("The weights are finite: llama.cpp's kernels for this processor are wrong, or the model's values are"
                        + " too large for its type.");
        return "The model computes numbers that are not finite, " + place + ", with llama.cpp's kernels. " + reason;
    }
}
