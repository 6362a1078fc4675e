package dev.luq.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.protocol.ModelDefaults;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelIdentityTest {

    private static String identity(String ofWorker, ModelDefaults defaults) {
        return ModelsResource.identity(new ModelInfo(
                "Tiny", "qwen2vl", "F16", 1, 2, 16, 8, 8, 8, 4, true, true, 64, null, null, false, ofWorker, defaults));
    }

    @Test
    void aModelHasTheSameOneAsLongAsItsWorkerAndDefaultsAreTheSame() {
        String one = identity("a", ModelDefaults.NONE);
        assertTrue(one.matches("[0-9a-f]{32}"), one);
        assertEquals(one, identity("a", ModelDefaults.NONE));
        assertNotEquals(one, identity("b", ModelDefaults.NONE));
        for (ModelDefaults others : List.of(
                new ModelDefaults(null, null, null, null, 1.1, null, null, null, null),
                new ModelDefaults(null, null, null, null, null, null, null, "Be brief.", null),
                new ModelDefaults(null, null, null, null, null, null, null, null, false))) {
            assertNotEquals(one, identity("a", others));
        }
    }

    @Test
    void aModelWhoseWorkerHasNoneHasNone() {
        assertNull(identity(null, ModelDefaults.NONE));
    }
}
