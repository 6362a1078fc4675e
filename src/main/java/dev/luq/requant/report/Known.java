package dev.luq.requant.report;

import dev.luq.requant.measure.Agreement;
import dev.luq.requant.measure.Score;
import java.util.Optional;
import java.util.function.Function;

/**
 * Measured values. Where nothing was measured there are zeros, which would read as "the same as the base model" and
 * "all wrong": here they are empty.
 */
final class Known {

    private Known() {}

    static Optional<Double> of(Agreement agreement, Function<Agreement, Double> value) {
        return Optional.of(agreement).filter(a -> a.positions() > 0).map(value);
    }

    static Optional<Double> meanKld(Agreement agreement) {
        return of(agreement, Agreement::meanKld);
    }

    /** Share of right answers. */
    static Optional<Double> right(Score score) {
        return Optional.of(score).filter(s -> s.asked() > 0).map(Score::share);
    }

    static String nats(Optional<Double> value) {
        return value.map(Html::nats).orElse("");
    }

    static String percent(Optional<Double> share) {
        return share.map(Html::percent).orElse("");
    }
}
