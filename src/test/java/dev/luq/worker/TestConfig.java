package dev.luq.worker;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;

/** {@link WorkerConfig} with its defaults and what a test sets. */
public final class TestConfig {

    private TestConfig() {
    }

    /** @param values without the prefix {@code luq.worker.} */
    public static WorkerConfig of(Map<String, String> values) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder().withMapping(WorkerConfig.class)
                .withConverter(java.time.Duration.class, 200, new DurationConverter());
        values.forEach((key, value) -> builder.withDefaultValue("luq.worker." + key, value));
        return builder.build().getConfigMapping(WorkerConfig.class);
    }
}
