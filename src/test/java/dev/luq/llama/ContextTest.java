package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import dev.luq.machine.KvType;
import org.junit.jupiter.api.Test;

@Integration
class ContextTest {

    private static final int[] PROMPT = {10, 20, 30, 40, 50, 60};

    private static float[] next(Context context, int token, int position, int sequence) {
        try (TokenBatch batch = TokenBatch.create(1)) {
            batch.add(token, position, sequence, true);
            context.decode(batch);
            return TinyModels.copy(context.logits(0));
        }
    }

    @Test
    void sequencesInOneBatchDoNotSeeEachOther() {
        float[] alone;
        try (Context context = TinyModels.context(TinyModels.QWEN, 1)) {
            alone = TinyModels.logits(context, PROMPT, 0);
        }
        try (Context context = TinyModels.context(TinyModels.QWEN, 3);
                TokenBatch batch = TokenBatch.create(32)) {
            int[] last = new int[3];
            for (int i = 0; i < PROMPT.length; i++) {
                for (int sequence = 0; sequence < 3; sequence++) {
                    int token = sequence == 1 ? PROMPT[i] : PROMPT[i] + 7 * sequence + 1;
                    last[sequence] = batch.add(token, i, sequence, i == PROMPT.length - 1);
                }
            }
            assertEquals(3, batch.outputs());
            context.decode(batch);
            float[] second = TinyModels.copy(context.logits(last[1]));
            assertTrue(TinyModels.cosine(alone, second, 0, second.length) > 0.99999);
            float[] first = TinyModels.copy(context.logits(last[0]));
            assertTrue(TinyModels.cosine(alone, first, 0, first.length) < 0.999);
        }
    }

    @Test
    void aCopiedPrefixIsAsGoodAsAnEvaluatedOne() {
        try (Context context = TinyModels.context(TinyModels.LLAVA, 2)) {
            TinyModels.logits(context, PROMPT, 0);
            float[] expected = next(context, 70, PROMPT.length, 0);
            context.copy(0, 1, 0, PROMPT.length);
            float[] actual = next(context, 70, PROMPT.length, 1);
            assertTrue(TinyModels.cosine(expected, actual, 0, actual.length) > 0.99999);
        }
    }

    @Test
    void removedPositionsAreForgotten() {
        try (Context context = TinyModels.context(TinyModels.LLAVA, 1)) {
            TinyModels.logits(context, PROMPT, 0);
            float[] expected = next(context, 70, PROMPT.length, 0);
            next(context, 80, PROMPT.length + 1, 0);
            assertTrue(context.remove(0, PROMPT.length, -1));
            float[] actual = next(context, 70, PROMPT.length, 0);
            assertTrue(TinyModels.cosine(expected, actual, 0, actual.length) > 0.99999);
        }
    }

    private static float[] afterPrompt(KvType kv) {
        ContextOptions options = new ContextOptions(256, 128, 1, 1, kv, true);
        try (Context context = Context.create(TinyModels.model(TinyModels.DEMO), options)) {
            TinyModels.logits(context, PROMPT, 0);
            return next(context, 70, PROMPT.length, 0);
        }
    }

    @Test
    void keysAndValuesOfEightBitsAreAlmostAsGood() {
        float[] exact = afterPrompt(KvType.F32);
        float[] eightBits = afterPrompt(KvType.Q8_0);
        assertTrue(TinyModels.cosine(exact, eightBits, 0, exact.length) > 0.9995);
    }

    @Test
    void aFullCacheIsReportedAndCanBeUsedAgain() {
        ContextOptions options = new ContextOptions(256, 128, 2, 1, KvType.F16, true);
        try (Context context = Context.create(TinyModels.model(TinyModels.QWEN), options);
                TokenBatch batch = TokenBatch.create(128)) {
            for (int start = 0; start < 256; start += 128) {
                batch.clear();
                for (int i = 0; i < 128; i++) {
                    batch.add(i, start + i, 0, i == 127);
                }
                context.decode(batch);
            }
            assertThrows(LlamaException.NoKvSpace.class, () -> next(context, 1, 0, 1));
            assertTrue(context.remove(0, 0, -1));
            assertEquals(384, next(context, 1, 0, 1).length);
            assertEquals(256, context.contextSize());
        }
    }

    @Test
    void aPositionThatDoesNotFollowIsRefused() {
        try (Context context = TinyModels.context(TinyModels.LLAVA, 1)) {
            TinyModels.logits(context, PROMPT, 0);
            String message = assertThrows(LlamaException.DecodeFailed.class, () -> next(context, 1, 3, 0))
                    .getMessage();
            assertTrue(message.startsWith("evaluation failed (-1)"), message);
        }
    }

    @Test
    void whatLlamaWouldAbortOnIsRefused() {
        try (Context context = TinyModels.context(TinyModels.LLAVA, 2);
                TokenBatch batch = TokenBatch.create(200)) {
            assertThrows(IllegalArgumentException.class, () -> context.decode(batch), "empty");
            assertThrows(IllegalArgumentException.class, () -> context.logits(0), "nothing decoded");
            assertThrows(IllegalArgumentException.class, () -> next(context, 384, 0, 0), "no such token");
            assertThrows(IllegalArgumentException.class, () -> next(context, -1, 0, 0), "no such token");
            assertThrows(IllegalArgumentException.class, () -> next(context, 1, 0, 2), "no such sequence");
            assertThrows(IllegalArgumentException.class, () -> next(context, 1, -1, 0), "no such position");
            for (int i = 0; i < 129; i++) {
                batch.add(1, i, 0, false);
            }
            assertThrows(IllegalArgumentException.class, () -> context.decode(batch), "more than a batch");
            batch.clear();
            for (int i = 0; i < 3; i++) {
                batch.add(1, i, 0, true);
            }
            assertThrows(IllegalArgumentException.class, () -> context.decode(batch), "more outputs than sequences");
            batch.clear();
            batch.add(1, 0, 0, false);
            batch.add(1, 1, 0, true);
            context.decode(batch);
            assertThrows(IllegalArgumentException.class, () -> context.logits(0), "no output there");
            assertThrows(IllegalArgumentException.class, () -> context.logits(2), "beyond the batch");
            assertThrows(IllegalArgumentException.class, () -> context.logits(-1), "negative");
        }
    }

    @Test
    void aBatchIsFilledAgain() {
        TokenBatch batch = TokenBatch.create(2);
        assertEquals(0, batch.add(1, 0, 0, false));
        assertEquals(1, batch.add(2, 1, 0, true));
        assertThrows(IllegalStateException.class, () -> batch.add(3, 2, 0, false));
        batch.clear();
        assertArrayEquals(new int[] {0, 0, 2}, new int[] {batch.size(), batch.outputs(), batch.capacity()});
        batch.close();
        batch.close();
        assertThrows(IllegalStateException.class, () -> batch.add(1, 0, 0, false));
        assertThrows(IllegalArgumentException.class, () -> TokenBatch.create(0));
    }

    @Test
    void optionsAreChecked() {
        assertThrows(IllegalArgumentException.class, () -> new ContextOptions(0, 8, 1, 1, KvType.F16, false));
        assertThrows(IllegalArgumentException.class, () -> new ContextOptions(64, 2, 3, 1, KvType.F16, false));
        assertThrows(IllegalArgumentException.class, () -> new ContextOptions(64, 512, 257, 1, KvType.F16, false));
    }
}
