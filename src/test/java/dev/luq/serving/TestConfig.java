package dev.luq.serving;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;

/** A configuration with its defaults and what a test sets, read as Quarkus reads it. */
public final class TestConfig {

    private TestConfig() {}

    /** {@link WorkerConfig}, see {@link #of(Class, Map)}. */
    public static WorkerConfig of(Map<String, String> values) {
        return of(WorkerConfig.class, values);
    }

    /** @param values without the prefix of the mapping */
    public static <T> T of(Class<T> mapping, Map<String, String> values) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder()
                .withMapping(mapping)
                .withConverter(Duration.class, 200, new DurationConverter());
        String prefix = mapping.getAnnotation(ConfigMapping.class).prefix();
        values.forEach((key, value) -> builder.withDefaultValue(prefix + "." + key, value));
        return builder.build().getConfigMapping(mapping);
    }
}
