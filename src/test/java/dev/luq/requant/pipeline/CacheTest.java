package dev.luq.requant.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheTest {

    private record Value(int number) {}

    @TempDir
    Path folder;

    @Test
    void aValueIsComputedOncePerFacts() {
        Cache cache = new Cache(folder, "this");
        assertEquals(new Value(1), cache.value("kind", List.of("a", "b"), Value.class, () -> new Value(1)));
        assertEquals(new Value(1), cache.value("kind", List.of("a", "b"), Value.class, () -> fail("computed again")));
        assertEquals(new Value(2), cache.value("kind", List.of("ab"), Value.class, () -> new Value(2)));
        assertEquals(new Value(3), cache.value("other", List.of("a", "b"), Value.class, () -> new Value(3)));
    }

    @Test
    void whatOtherCodeComputedDoesNotCount() {
        new Cache(folder, "before").value("kind", List.of("a"), Value.class, () -> new Value(1));
        assertEquals(
                new Value(2), new Cache(folder, "after").value("kind", List.of("a"), Value.class, () -> new Value(2)));
    }

    @Test
    void nothingIsKeptOfWhatFailed() {
        Cache cache = new Cache(folder, "this");
        assertThrows(
                IllegalStateException.class,
                () -> cache.value("kind", List.of("a"), Value.class, () -> {
                    throw new IllegalStateException();
                }));
        assertEquals(new Value(1), cache.value("kind", List.of("a"), Value.class, () -> new Value(1)));
    }

    @Test
    void whatIsDamagedIsComputedAgain() throws IOException {
        Cache cache = new Cache(folder, "this");
        cache.value("kind", List.of("a"), Value.class, () -> new Value(1));
        Files.writeString(cache.path("kind", List.of("a"), ".json"), "{\"number\": ");
        assertEquals(new Value(2), cache.value("kind", List.of("a"), Value.class, () -> new Value(2)));
    }
}
