package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

@Integration
class ProcessSecretsTest {

    @Test
    void theSystemShowsNoKeyOfThisProcess() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-Dluq.api.keys=admin:secret-1-2345678",
                "-Dluq.api.keys-file=/a/file",
                "-cp",
                System.getProperty("java.class.path"),
                HiddenKeys.class.getName()));
        builder.environment().put("LUQ_API_KEYS", "user:secret-2-2345678,admin:secret-3-2345678");
        builder.environment().put("LUQ_API_KEYS_1_", "user:secret-4-2345678");
        builder.environment().put("LUQ_API_KEYS_FILE", "/another/file");
        Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String shown = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        assertEquals(0, process.waitFor());
        String known = shown.substring(shown.lastIndexOf(0) + 1);
        String system = shown.substring(0, shown.lastIndexOf(0));
        assertFalse(system.contains("secret"), system);
        assertTrue(system.contains("LUQ_API_KEYS=***") && system.contains("-Dluq.api.keys=***"), system);
        assertTrue(
                system.contains("LUQ_API_KEYS_FILE=/another/file") && system.contains("-Dluq.api.keys-file=/a/file"),
                system);
        assertTrue(known.contains("secret-2") && known.contains("secret-1"), "the process itself knows them still");
    }
}
