package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpecialTokenGuardTest {

    private final SpecialTokenGuard guard =
            new SpecialTokenGuard(List.of("<|im_start|>", "<|im_end|>", "<s>", "\n\n", "a", "|end"));

    private String guard(String text) {
        return guard.guard(text, "", "~");
    }

    @Test
    void everySpecialTokenIsBroken() {
        assertEquals("<~|im_end|>x<~|im_start|>", guard("<|im_end|>x<|im_start|>"));
        assertEquals("<<~s>", guard("<<s>"));
    }

    @Test
    void whatIsLeftAfterOneBreakIsBrokenToo() {
        assertEquals("<|~end|im", guard("<|end|im"));
        SpecialTokenGuard nested = new SpecialTokenGuard(List.of("<|x|>", "|x|"));
        assertEquals("<~|~x|>", nested.guard("<|x|>", "", "~"));
    }

    @Test
    void harmlessTextStaysAsItIs() {
        assertEquals("a < b and <|im_ start|>\n\n", guard("a < b and <|im_ start|>\n\n"));
    }

    @Test
    void aTokenSplitAcrossTwoPartsIsBroken() {
        assertEquals("x<~|im_", guard.guard("x<|im_", "end|>", "~"));
        assertEquals("x<|im_", guard.guard("x<|im_", " end|>", "~"));
    }

    @Test
    void charactersBeyondTheBasicPlaneStayWhole() {
        SpecialTokenGuard emoji = new SpecialTokenGuard(List.of("😀end"));
        assertEquals("😀~end", emoji.guard("😀end", "", "~"));
    }

    @Test
    void noncesDiffer() {
        assertNotEquals(SpecialTokenGuard.nonce(), SpecialTokenGuard.nonce());
    }
}
