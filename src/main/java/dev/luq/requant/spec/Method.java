package dev.luq.requant.spec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.luq.requant.plan.RankingMethod;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How the plan for a budget is found. */
@RegisterForReflection
public enum Method {
    /** The plans of all others, measured on held-out calibration examples; the nearest to the base model wins. */
    BEST(null),
    /** A type for each matrix: the least weighted error, times how sensitive answers were measured to be to it. */
    ALLOCATION(null),
    /** Several precisions, chosen per layer by measured cost. */
    LADDER(null),
    /** One of llama.cpp's own mixes over the whole model. */
    UNIFORM(null),
    ENTROPY(RankingMethod.ENTROPY),
    ENTROPY_NORMED_INPUT(RankingMethod.ENTROPY_NORMED_INPUT),
    ERROR(RankingMethod.ERROR),
    KLD(RankingMethod.KLD);

    private final RankingMethod ranking;

    Method(RankingMethod ranking) {
        this.ranking = ranking;
    }

    /** The ranking that a two-level plan follows; empty for those that follow none. */
    public Optional<RankingMethod> ranking() {
        return Optional.ofNullable(ranking);
    }

    /** Whether it needs answers of the model with parts of it at fewer bits, which takes longest of all. */
    public boolean measuresAnswers() {
        return switch (this) {
            case BEST, ALLOCATION, LADDER, KLD -> true;
            case UNIFORM, ENTROPY, ENTROPY_NORMED_INPUT, ERROR -> false;
        };
    }

    /** As in JSON and on command lines: {@code entropy-normed-input}. */
    @JsonValue
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** @throws SpecException.Invalid for an unknown name, listing the known ones */
    @JsonCreator
    public static Method parse(String text) {
        return Arrays.stream(values())
                .filter(method -> method.text().equals(text))
                .findFirst()
                .orElseThrow(() -> new SpecException.Invalid("There is no method \"" + text + "\"; choose one of "
                        + Arrays.stream(values()).map(Method::text).collect(Collectors.joining(", ")) + "."));
    }

    @Override
    public String toString() {
        return text();
    }
}
