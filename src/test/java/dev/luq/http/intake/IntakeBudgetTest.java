package dev.luq.http.intake;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.http.errors.ApiException.Busy;
import org.junit.jupiter.api.Test;

class IntakeBudgetTest {

    private final IntakeBudget budget = new IntakeBudget(80_000, 80_000);

    private String refusal(IntakeBudget.Share share) {
        return assertThrows(Busy.class, () -> share.grow(1)).getMessage();
    }

    @Test
    void whoComesToOneThatIsFullFindsAnEighth() {
        IntakeBudget.Share all = budget.reserve("alice", 80_000);
        IntakeBudget.Share eighth = budget.reserve("bob", 10_000);
        IntakeBudget.Share eighthOfThat = budget.reserve("carol", 1_250);
        assertTrue(refusal(budget.reserve("alice", 0)).contains("Your other requests"));
        assertTrue(refusal(eighth).contains("busy"));
        assertTrue(refusal(eighthOfThat).contains("busy"));
        assertTrue(80_000 - budget.free() <= 80_000 * 8 / 7);

        all.close();
        eighthOfThat.close();
        budget.reserve("bob", 70_000).close();
        eighth.close();
        assertEquals(80_000, budget.free());
        assertEquals(0, budget.heldBy("alice"));
    }

    @Test
    void answersThatNobodyReadsLeaveRoomForTheAnswersOfOthers() {
        IntakeBudget.Share unread = budget.ofAnswer("alice");
        unread.grow(60_000);
        assertTrue(refusal(budget.ofAnswer("alice")).contains("read them"));
        IntakeBudget.Share other = budget.ofAnswer("bob");
        other.grow(7_500);
        assertTrue(refusal(other).contains("large answers"));
        budget.reserve("alice", 10_000).close();
        unread.close();
        other.close();
        assertEquals(80_000, budget.free());
    }
}
