package dev.luq.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.intake.IntakeBudget;
import org.junit.jupiter.api.Test;

class AnswerShareTest {

    private static final int FREE = AnswerShare.UNCOUNTED;

    private final IntakeBudget budget = new IntakeBudget(40_000_000, 1_000_000);
    private final AnswerShare share = new AnswerShare(() -> budget.ofAnswer("a"));

    private long held() {
        return budget.total() - budget.free();
    }

    @Test
    void anAnswerOfOrdinarySizeIsNotCounted() {
        try (IntakeBudget.Share others = budget.reserve("a", budget.total())) {
            share.add(FREE / 2, FREE / 2);
            assertEquals(others.held(), held());
            assertThrows(Busy.class, () -> share.add(1, 0));
        }
    }

    @Test
    void whatItIsWrittenAsIsReservedAndNotCountedTwice() {
        share.add(1_000_000, 2_000_000);
        assertEquals(3_000_000 - FREE, held());
        share.write(1_500_000);
        assertEquals(3_000_000 - FREE, held());
        share.write(1_500_000);
        assertEquals(4_000_000 - FREE, held());
    }

    @Test
    void aQuarterIsLeftForWhatComesIn() {
        InvalidRequest never = assertThrows(InvalidRequest.class, () -> share.add(30_000_001 + FREE, 0));
        assertEquals(
                "The answer needs more memory than the server has for it: ask for less at once, such as fewer inputs,"
                        + " choices, tokens or log probabilities, or with stream where there is one, or have the"
                        + " operator raise luq.api.intake-bytes",
                never.getMessage());
        AnswerShare other = new AnswerShare(() -> budget.ofAnswer("a"));
        other.add(30_000_000 + FREE, 0);
        assertThrows(Busy.class, () -> new AnswerShare(() -> budget.ofAnswer("a")).add(FREE + 1, 0));
        budget.reserve("a", 10_000_000).close();
    }
}
