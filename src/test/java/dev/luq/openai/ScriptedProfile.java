package dev.luq.openai;

import io.quarkus.test.junit.QuarkusTestProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.ConfigProvider;

/** Scripted workers behind a file of keys of every kind and one trusted site, with limits that a test can reach. */
public class ScriptedProfile implements QuarkusTestProfile {

    public static final String USER = "user-key-12345678";
    public static final String ADMIN = "admin-key-1234567";
    public static final String EXPIRED = "expired-key-12345";
    public static final String NARROW = "narrow-key-123456";
    public static final String HASTY = "hasty-key-1234567";
    public static final String FRUGAL = "frugal-key-123456";
    public static final String TRUSTED_SITE = "https://chat.example";

    public static final String KEYS =
            """
            # one of every kind
            user:%s name=alice
            admin:%s name=root
            admin:%s name=former expires=2020-01-01T00:00:00Z
            %s name=narrow models=loading
            %s name=hasty requests-per-minute=1
            %s name=frugal tokens-per-minute=10
            """
                    .formatted(USER, ADMIN, EXPIRED, NARROW, HASTY, FRUGAL);

    @Override
    public Set<Class<?>> getEnabledAlternatives() {
        return Set.of(ScriptedWorkers.class);
    }

    @Override
    public Map<String, String> getConfigOverrides() {
        try {
            Path file = Files.createTempFile(
                    Files.createDirectories(Path.of("target/keys-test")).toAbsolutePath(), "keys-", "");
            Files.writeString(file, KEYS);
            return Map.of(
                    "luq.api.keys-file",
                    file.toString(),
                    "luq.api.cors-origins",
                    TRUSTED_SITE,
                    "luq.api.max-body-bytes",
                    "2000000",
                    "luq.api.stream-keep-alive",
                    "300ms",
                    "luq.api.stalled-client-timeout",
                    "500ms");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The running server's: a profile is asked more than once. */
    public static Path file() {
        return Path.of(ConfigProvider.getConfig().getValue("luq.api.keys-file", String.class));
    }
}
