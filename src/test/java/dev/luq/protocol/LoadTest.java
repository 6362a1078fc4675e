package dev.luq.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.protocol.ServerFrame.Load;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoadTest {

    @ParameterizedTest
    @CsvSource({
        // asked, slots, batch, drafted
        "16, 4, 128, 16",
        "16, 4, 12, 8",
        "16, 4, 4, 0",
        "16, 8, 4, 0",
        "0, 4, 128, 0"
    })
    void aStepDraftsNoMoreThanItsBatchHoldsBesideTheSlots(int asked, int slots, int batchSize, int drafted) {
        assertEquals(drafted, Load.draftTokens(asked, slots, batchSize));
    }
}
