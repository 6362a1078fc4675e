package dev.luq;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.util.Map;

/** A server with one good model, tiny and of random weights, and one whose file is no GGUF. */
public class TinyAndBroken implements QuarkusTestProfile {

    @Override
    public Map<String, String> getConfigOverrides() {
        String folder = "src/test/resources/reference/";
        return Map.of(
                "luq.models.tiny.model",
                folder + "qwen2.5-vl-tiny-F16.gguf",
                "luq.models.tiny.mmproj",
                folder + "mmproj-qwen2.5-vl-tiny-F16.gguf",
                "luq.models.tiny.default",
                "true",
                "luq.models.tiny.aliases",
                "small,little",
                "luq.models.broken.model",
                folder + "make_reference.py",
                "luq.worker.threads",
                "1",
                "luq.worker.image-threads",
                "1",
                "quarkus.shutdown.timeout",
                "0S",
                "luq.worker.drain-time",
                "0S");
    }
}
