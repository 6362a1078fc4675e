package dev.luq.openai.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.protocol.WorkerFrame;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TokenChargeTest {

    private static final WorkerFrame.Timings NONE = new WorkerFrame.Timings(0, 0, 0, 0);

    private final AtomicLong charged = new AtomicLong();
    private final TokenCharge charge = new TokenCharge(2, 2, charged::addAndGet);

    @Test
    void aWholeAnswerCostsWhatItsUsageSays() {
        for (int choice = 0; choice < 2; choice++) {
            charge.add(new ChoiceFrame(choice, new WorkerFrame.Accepted("r", 100, 0, 90)));
            charge.add(delta(choice, 3));
            charge.add(new ChoiceFrame(choice, new WorkerFrame.Finished("r", "stop", null, 7, NONE)));
        }
        charge.close();
        assertEquals(114, charged.get(), "the prompt once");
    }

    @Test
    void anAnswerThatIsLeftCostsWhatCameOfIt() {
        charge.add(new ChoiceFrame(0, new WorkerFrame.Accepted("r", 100, 0, 0)));
        charge.add(delta(0, 1));
        charge.add(delta(0, 10));
        charge.add(delta(1, 3));
        assertEquals(100, charged.get());
        charge.close();
        charge.close();
        assertEquals(113, charged.get());
    }

    @Test
    void aPromptThatIsLeftCostsWhatWasEvaluatedOfIt() {
        charge.add(progress(60));
        charge.add(progress(90));
        assertEquals(0, charged.get());
        charge.close();
        charge.close();
        assertEquals(90, charged.get());
    }

    @Test
    void aPromptIsChargedOnce() {
        charge.add(progress(90));
        charge.add(new ChoiceFrame(0, new WorkerFrame.Accepted("r", 100, 0, 0)));
        charge.add(progress(100));
        charge.close();
        assertEquals(100, charged.get());
    }

    private static ChoiceFrame progress(int evaluated) {
        return new ChoiceFrame(
                0, new WorkerFrame.Progress("r", WorkerFrame.Phase.PROMPT, evaluated / 100f, 0, evaluated, 100));
    }

    private static ChoiceFrame delta(int choice, int tokens) {
        return new ChoiceFrame(choice, new WorkerFrame.Delta("r", "text", null, null, tokens));
    }
}
