package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.gguf.Pooling;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.TinyEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class TokenizerTest {

    @TempDir
    static Path directory;

    private static Model encoder;
    private static Tokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        Llama.init(line -> {});
        encoder = Model.load(List.of(TinyEncoder.write(directory.resolve("bert.gguf"), Pooling.CLS)));
        tokenizer = new Tokenizer(encoder.vocabulary());
    }

    @AfterAll
    static void close() {
        encoder.close();
    }

    private static int[] tokens(String... texts) {
        List<PromptContent.Piece> pieces = Arrays.stream(texts)
                .<PromptContent.Piece>map(PromptContent.Piece.Text::new)
                .toList();
        return tokenizer.tokenize(new PromptContent.Raw(pieces, null), true, false);
    }

    @Test
    void aTextHasTheTokensThatTheModelWantsAroundIt() {
        assertArrayEquals(encoder.vocabulary().tokenize("the", true, false), tokens("the"));
        assertArrayEquals(encoder.vocabulary().tokenize("", true, false), tokens(""));
    }

    /** Of a text in parts none of them stands in the middle, where a pooled vector would be another one's. */
    @Test
    void aLongTextHasThemAtItsEnds() {
        int words = Tokenizer.LONGEST_PIECE / "the ".length() + 10;
        int[] one = tokens("the");
        int[] expected = new int[words + 2];
        Arrays.fill(expected, one[1]);
        expected[0] = one[0];
        expected[words + 1] = one[2];
        assertEquals(3, one.length);
        assertArrayEquals(expected, tokens("the ".repeat(words)));
        assertArrayEquals(new int[] {expected[0], expected[1], expected[1], expected[words + 1]}, tokens("the", "the"));
    }
}
