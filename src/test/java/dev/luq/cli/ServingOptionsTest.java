package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.serving.WorkerConfig;
import io.smallrye.config.WithDefault;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine.Model.CommandSpec;

class ServingOptionsTest {

    @ParameterizedTest
    @CsvSource({
        "--slots, slots",
        "--batch-size, batchSize",
        "--threads, threads",
        "--image-tokens, imageMaxTokens",
        "--kernels, kernels"
    })
    void defaultsAreThoseOfTheServer(String option, String setting) throws NoSuchMethodException {
        assertEquals(
                WorkerConfig.class
                        .getMethod(setting)
                        .getAnnotation(WithDefault.class)
                        .value(),
                CommandSpec.forAnnotatedObject(new ServingOptions())
                        .findOption(option)
                        .defaultValue());
    }
}
