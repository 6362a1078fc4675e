package dev.luq.telemetry;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Names of the server's series; {@link TelemetryTest} compares their table with a scrape. */
public final class MetricNames {

    private MetricNames() {}

    /** As in the table. */
    public static Set<String> bare() {
        return Arrays.stream(Metrics.values()).map(Metrics::metricName).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Those, and what timers and histograms append to theirs. */
    public static Set<String> all() {
        Set<String> names = bare();
        for (Metrics metric : Metrics.values()) {
            if (!metric.metricName().endsWith("_total")) {
                for (String part : Set.of("_bucket", "_count", "_sum")) {
                    names.add(metric.metricName() + part);
                }
            }
        }
        return names;
    }
}
