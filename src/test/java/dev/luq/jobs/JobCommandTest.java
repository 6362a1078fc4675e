package dev.luq.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.Integration;
import dev.luq.files.DataConfig;
import dev.luq.serving.WorkerConfig;
import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

@Integration
class JobCommandTest {

    @Test
    void aJobGivesWayToWhatServes() throws Exception {
        assumeTrue(
                new ProcessBuilder("sh", "-c", "command -v nice && command -v ionice")
                                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                .start()
                                .waitFor()
                        == 0,
                "no nice or no ionice");
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .withMapping(WorkerConfig.class)
                .withMapping(JobsConfig.class)
                .withMapping(DataConfig.class)
                .withConverter(Duration.class, 200, new DurationConverter())
                .withDefaultValue("luq.data-dir", "data")
                .build();

        List<String> line = new JobCommand(
                        config.getConfigMapping(WorkerConfig.class),
                        config.getConfigMapping(JobsConfig.class),
                        config.getConfigMapping(DataConfig.class))
                .command("rq-1");

        assertEquals(List.of("nice", "-n", "19", "ionice", "-c", "3"), line.subList(0, 6));
        assertEquals(Path.of("data/jobs/rq-1").toAbsolutePath().toString(), line.get(line.size() - 1));
    }
}
