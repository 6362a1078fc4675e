package dev.luq.serving;

import static dev.luq.Until.completed;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.Integration;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Operations, where the system gives no thread for one. */
@Integration
class ModelControlTest {

    private static final String TINY = "src/test/resources/reference/llava-tiny-F16.gguf";

    @TempDir
    Path folder;

    @Test
    void anOperationThatGetsNoThreadFailsAndTheNextOneIsDone() throws Exception {
        AtomicBoolean none = new AtomicBoolean(true);
        try (ServedModels models = new ServedModels(
                folder, Map.of("luq.models.a.model", TINY, "luq.models.a.load", "demand"), new NoVariants(), body -> {
                    if (none.getAndSet(false)) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    return new Thread(body);
                })) {
            ExecutionException failed =
                    assertThrows(ExecutionException.class, () -> completed("the first load", models.control.load("a")));
            assertInstanceOf(OutOfMemoryError.class, failed.getCause());
            completed("the second load", models.control.load("a"));
            assertEquals(ModelWorker.State.READY, models.model("a").state());
        }
    }
}
