package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.luq.machine.NativeBuild;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the commands take from the environment of a server. */
class MainTest {

    private final Optional<String> before = Optional.ofNullable(System.getProperty(NativeBuild.CACHE_PROPERTY));

    @BeforeEach
    void clear() {
        System.clearProperty(NativeBuild.CACHE_PROPERTY);
    }

    @AfterEach
    void restore() {
        before.ifPresentOrElse(
                folder -> System.setProperty(NativeBuild.CACHE_PROPERTY, folder),
                () -> System.clearProperty(NativeBuild.CACHE_PROPERTY));
    }

    @Test
    void librariesAreUnpackedWhereTheServersAre() {
        Main.useCacheOf(Map.of("LUQ_WORKER_PROCESS_NATIVE_CACHE_DIR", "/var/cache/luq"));
        assertEquals(
                Path.of("/var/cache/luq"), NativeBuild.folder(Optional.empty()).getParent());
    }

    @Test
    void withoutThatFolderAndWithAnEmptyOneTheyAreInTheHomeFolder() {
        Main.useCacheOf(Map.of());
        Main.useCacheOf(Map.of("LUQ_WORKER_PROCESS_NATIVE_CACHE_DIR", ""));
        assertNull(System.getProperty(NativeBuild.CACHE_PROPERTY));
    }
}
