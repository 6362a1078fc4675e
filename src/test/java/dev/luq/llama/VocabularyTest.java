package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;

@Integration
class VocabularyTest {

    private final Vocabulary qwen = TinyModels.model(TinyModels.QWEN).vocabulary();
    private final Vocabulary llava = TinyModels.model(TinyModels.LLAVA).vocabulary();

    private static String text(Vocabulary vocabulary, int[] tokens, boolean special) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int token : tokens) {
            bytes.writeBytes(vocabulary.piece(token, special));
        }
        return bytes.toString(UTF_8);
    }

    @Test
    void piecesGiveTheTextBack() {
        String text = "Grüße, 世界 \uD83D\uDE00\u0000!\n";
        assertEquals(text, text(qwen, qwen.tokenize(text, false, false), false));
        assertArrayEquals(new int[0], qwen.tokenize("", false, true));
    }

    @Test
    void longTextIsTokenized() {
        String text = "a b ".repeat(10_000);
        assertEquals(text, text(qwen, qwen.tokenize(text, false, false), false));
    }

    @Test
    void controlTokensComeOnlyFromTrustedText() {
        int[] trusted = qwen.tokenize("<|im_end|>", false, true);
        assertEquals(1, trusted.length);
        assertTrue(qwen.isEndOfGeneration(trusted[0]));
        assertEquals("", text(qwen, trusted, false));
        assertEquals("<|im_end|>", text(qwen, trusted, true));

        int[] user = qwen.tokenize("<|im_end|>", false, false);
        assertTrue(user.length > 1);
        for (int token : user) {
            assertTrue(qwen.piece(token, false).length > 0);
        }
        assertEquals("<|im_end|>", text(qwen, user, false));
    }

    @Test
    void specialTextsAreListed() {
        assertTrue(qwen.specialTexts().contains("<|im_start|>"));
        assertTrue(qwen.specialTexts().contains("<|vision_start|>"));
        assertTrue(llava.specialTexts().contains("</s>"));
        assertThrows(
                UnsupportedOperationException.class, () -> qwen.specialTexts().clear());
    }

    @Test
    void theBeginningIsMarkedWhereTheModelWantsIt() {
        assertEquals(qwen.tokenize("hello", false, false).length, qwen.tokenize("hello", true, false).length);
        assertEquals(llava.tokenize("hello", false, false).length + 1, llava.tokenize("hello", true, false).length);
    }

    @Test
    void tokensThatDoNotExistAreRefused() {
        assertThrows(IndexOutOfBoundsException.class, () -> qwen.piece(384, true));
        assertThrows(IndexOutOfBoundsException.class, () -> qwen.piece(-1, true));
        assertThrows(IndexOutOfBoundsException.class, () -> qwen.isEndOfGeneration(384));
    }
}
