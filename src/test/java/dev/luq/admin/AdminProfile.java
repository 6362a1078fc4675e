package dev.luq.admin;

import dev.luq.TestVariants;
import dev.luq.jobs.ScriptedJobs;
import dev.luq.requant.plan.Precision;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.restassured.RestAssured;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.ConfigProvider;

/** The server with a tiny model, keys, and an empty data folder with two variants of that model. */
public class AdminProfile implements QuarkusTestProfile {

    static final String ADMIN = "admin-key-12345678";
    static final String USER = "user-key-12345678";
    static final Path MODELS = Path.of("src/test/resources/reference").toAbsolutePath();
    static final Path MODEL = MODELS.resolve("qwen2.5-vl-tiny-F16.gguf");
    static final Path MMPROJ = MODELS.resolve("mmproj-qwen2.5-vl-tiny-F16.gguf");

    /** The same with jobs that follow a script. */
    public static class Scripted extends AdminProfile {
        @Override
        public Set<Class<?>> getEnabledAlternatives() {
            return Set.of(ScriptedJobs.class);
        }
    }

    @Override
    public Map<String, String> getConfigOverrides() {
        Path data;
        try {
            data = Files.createTempDirectory(
                    Files.createDirectories(Path.of("target/admin-test")).toAbsolutePath(), "data-");
            TestVariants.publish(data, "low", MODEL, MMPROJ, Precision.Q4_K);
            TestVariants.publish(data, "high", MODEL, MMPROJ, Precision.Q8_0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, String> config = new HashMap<>();
        config.put("luq.data-dir", data.toString());
        config.put("luq.models.tiny.model", MODEL.toString());
        config.put("luq.models.tiny.mmproj", MMPROJ.toString());
        config.put("luq.models.tiny.aliases", "small");
        config.put("luq.admin.models-dir", MODELS.toString());
        config.put("luq.sets.root", data.resolve("roots").toString());
        config.put("luq.sets.max-upload-bytes", "200000");
        config.put("luq.api.max-body-bytes", "100000");
        config.put("luq.api.stream-keep-alive", "200ms");
        config.put("luq.api.keys", "admin:" + ADMIN + ",user:" + USER);
        config.put("luq.worker.threads", "1");
        config.put("luq.worker.image-threads", "1");
        config.put("luq.worker.slots", "2");
        config.put("luq.worker.context-size", "512");
        config.put("luq.worker.drain-time", "0S");
        config.put("luq.jobs.threads", "1");
        config.put("quarkus.shutdown.timeout", "0S");
        return config;
    }

    /** The data folder of the running server: a profile is asked more than once. */
    static Path data() {
        return Path.of(ConfigProvider.getConfig().getValue("luq.data-dir", String.class));
    }

    static RequestSpecification admin() {
        return RestAssured.given().header("Authorization", "Bearer " + ADMIN);
    }

    static RequestSpecification user() {
        return RestAssured.given().header("Authorization", "Bearer " + USER);
    }

    static RequestSpecification json(String body) {
        return admin().contentType("application/json").body(body);
    }
}
