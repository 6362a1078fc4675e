package dev.luq.http.intake;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.ClientGone;
import dev.luq.http.errors.ApiException.InvalidRequest;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReceivedBodyTest {

    private final IntakeBudget budget = new IntakeBudget(10_000_000, 2_000_000);

    private static byte[] random(int bytes) {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return content;
    }

    @Test
    void whatCameInPiecesIsOneStream() throws IOException {
        for (int piece : new int[] {1, 7, 4096, 100_000}) {
            byte[] sent = random(100_000);
            try (ReceivedBody body = new ReceivedBody(budget.reserve("a", 0), 0)) {
                for (int at = 0; at < sent.length; at += piece) {
                    body.append(Buffer.buffer(Arrays.copyOfRange(sent, at, Math.min(sent.length, at + piece))), 0);
                }
                assertEquals(sent.length, body.size());
                assertTrue(budget.total() - budget.free() <= 2L * sent.length, "charged for what came");
                body.chargeParsing();
                assertArrayEquals(sent, body.stream().readAllBytes());
            }
            assertEquals(budget.total(), budget.free());
        }
    }

    @Test
    void aBodyOfKnownLengthTakesNoMoreThanThat() throws IOException {
        byte[] sent = random(50_000);
        try (ReceivedBody body = new ReceivedBody(budget.reserve("a", 0), sent.length)) {
            body.append(Buffer.buffer(sent).slice(0, 9_999), 0);
            body.append(Buffer.buffer(sent), 9_999);
            assertEquals(sent.length, budget.total() - budget.free());
            assertArrayEquals(sent, body.stream().readAllBytes());
        }
    }

    @Test
    void whatDoesNotFitLeavesWhatIsThere() throws IOException {
        IntakeBudget small = new IntakeBudget(10_000, 2_000);
        try (IntakeBudget.Share others = small.reserve("a", 5_000);
                ReceivedBody body = new ReceivedBody(small.reserve("a", 0), 0)) {
            body.append(Buffer.buffer(random(4_096)), 0);
            assertThrows(Busy.class, () -> body.append(Buffer.buffer(new byte[] {1}), 0));
            others.close();
            body.append(Buffer.buffer(new byte[] {1}), 0);
            assertEquals(4_097, body.stream().readAllBytes().length);
        }
        assertEquals(small.total(), small.free());
    }

    @Test
    void parsedItIsChargedForItsText() {
        try (ReceivedBody body = TestBodies.received(budget, "\"" + "x".repeat(99_998) + "\"")) {
            assertEquals(400_000 + 64, body.held());
        }
        try (ReceivedBody body = TestBodies.parsed(budget, 100_000)) {
            assertEquals(99_999 + 64, body.held());
        }
        assertEquals(budget.total(), budget.free());
    }

    /** A megabyte of these becomes 26 megabytes of objects. */
    @Test
    void manySmallObjectsAreChargedBeforeTheyAreThereAndAfterwards() throws IOException {
        String junk = "{\"junk\":[" + "{\"a\":0},".repeat(124_000) + "0]}";
        IntakeBudget two = new IntakeBudget(80_000_000, 2_000_000);
        try (ReceivedBody first = TestBodies.received(two, junk)) {
            JsonBody.read(first.stream(), 2_000_000, JsonNode.class);
            try (ReceivedBody second = TestBodies.received(two, junk)) {
                JsonBody.read(second.stream(), 2_000_000, JsonNode.class);
                assertThrows(Busy.class, () -> TestBodies.received(two, junk));
            }
            assertTrue(first.held() > 26_500_000, first.held() + " bytes");
        }
        assertEquals(two.total(), two.free());
    }

    @Test
    void theTextOfTheLargestBodyLeavesRoomForOthers() {
        IntakeBudget small = new IntakeBudget(1_000_000, 2_000_000);
        try (ReceivedBody largest = TestBodies.parsed(small, (int) small.largestBody());
                ReceivedBody other = TestBodies.parsed(small, 10_000)) {
            assertTrue(largest.held() > other.held());
        }
        assertEquals(small.total(), small.free());
    }

    @Test
    void whatDoesNotFitBesideABodyIsRefusedForGood() {
        IntakeBudget small = new IntakeBudget(1_000_000, 2_000_000);
        try (ReceivedBody body = TestBodies.parsed(small, 100_000);
                IntakeBudget.Share pixels = small.beside(body)) {
            long room = small.total() - body.held();
            InvalidRequest never = assertThrows(InvalidRequest.class, () -> pixels.grow(room + 1));
            assertTrue(never.getMessage().contains("fewer or smaller images"), never.getMessage());
            try (IntakeBudget.Share others = small.reserve("a", 1)) {
                assertThrows(Busy.class, () -> pixels.grow(room));
            }
            pixels.grow(room);
        }
        assertEquals(small.total(), small.free());
    }

    @Test
    void whoHoldsTheTextLastGivesItsMemoryBack() {
        ReceivedBody body = TestBodies.parsed(budget, 100_000);
        ReceivedBody.Hold first = body.hold();
        ReceivedBody.Hold second = body.hold();
        long held = body.held();
        body.close();
        first.close();
        assertEquals(budget.total() - held, budget.free(), "the client left, the text is there still");
        second.close();
        assertEquals(budget.total(), budget.free());
        assertThrows(ClientGone.class, body::hold);
    }

    @Test
    void aClosedBodyThatNobodyHasReadIsDropped() throws IOException {
        ReceivedBody body = TestBodies.received(budget, "\"text\"");
        body.close();
        assertEquals(0, body.stream().readAllBytes().length);
    }

    @Test
    void theStreamsEndIsToldOnce() throws IOException {
        int[] ends = {0};
        ReceivedBody body = new ReceivedBody(budget.reserve("a", 0), 0);
        body.whenParsed(() -> ends[0]++);
        body.stream().close();
        body.close();
        body.close();
        assertEquals(1, ends[0]);
    }
}
