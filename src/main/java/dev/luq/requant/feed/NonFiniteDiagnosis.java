package dev.luq.requant.feed;

import dev.luq.llama.FiniteTap;
import java.util.Optional;

/**
 * Numbers of a model that are not finite.
 *
 * @param where they appear first; empty when they did not appear again
 * @param damaged a tensor whose weights are not finite themselves
 */
record NonFiniteDiagnosis(Optional<FiniteTap.Location> where, Optional<String> damaged) {

    @Override
    public String toString() {
        String place = where.map(found -> "first at " + found).orElse("but not when the same was computed again");
        String reason = damaged.map(name -> "The weights of " + name + " are not finite: the file is damaged. Fetch or"
                        + " convert it again.")
                .orElse(
                        "The weights are finite: llama.cpp's kernels for this processor are wrong, or the model's values are"
                                + " too large for its type.");
        return "The model computes numbers that are not finite, " + place + ", with llama.cpp's kernels. " + reason;
    }
}
