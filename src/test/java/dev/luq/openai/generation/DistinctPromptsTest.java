package dev.luq.openai.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.openai.images.Detail;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.PromptInput.Piece;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class DistinctPromptsTest {

    private static Prompt.Raw text(String text) {
        return new Prompt.Raw(PromptInput.Raw.of(text), List.of());
    }

    private static Prompt.Raw tokens(int... tokens) {
        return new Prompt.Raw(PromptInput.Raw.of(tokens), List.of());
    }

    private static Prompt.Raw images(String... urls) {
        return new Prompt.Raw(
                new PromptInput.Raw(
                        Arrays.stream(urls).<Piece>map(url -> new Piece.Media()).toList(), null),
                Arrays.stream(urls)
                        .map(url -> new ImageReference(url, Detail.AUTO, "input"))
                        .toList());
    }

    private static Prompt.Raw pair(String query, String document) {
        return new Prompt.Raw(new PromptInput.Raw(List.of(new Piece.Pair(query, document)), null), List.of());
    }

    private static List<Integer> places(Prompt.Raw... prompts) {
        return DistinctPrompts.of(List.of(prompts)).places();
    }

    @Test
    void equalPromptsAreOne() {
        assertEquals(List.of(0, 1, 0, 1), places(text("a"), text("b"), text("a"), text("b")));
        assertEquals(List.of(0, 0, 1), places(tokens(1, 2), tokens(1, 2), tokens(2, 1)));
        assertEquals(List.of(0, 1, 0, 2), places(images("x"), images("y"), images("x"), images("x", "x")));
        assertEquals(List.of(0, 1), places(text("1"), tokens(1)));
        assertEquals(List.of(0, 1, 0), places(pair("a", "bc"), pair("ab", "c"), pair("a", "bc")));
    }

    @Test
    void eachPromptGetsItsResult() {
        DistinctPrompts prompts = DistinctPrompts.of(List.of(text("a"), text("b"), text("a")));
        assertEquals(List.of(text("a"), text("b")), prompts.prompts());
        assertEquals(List.of("A", "B", "A"), prompts.all(List.of("A", "B")));
    }
}
