package dev.luq.prompt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.prompt.PromptContent.Constraint;
import dev.luq.prompt.PromptContent.Piece;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How long a prompt is, by which it is prepared beside short ones or long ones. */
class PromptContentTest {

    private static final List<Piece> PIECES =
            List.of(new Piece.Text("four"), new Piece.Tokens(new int[] {1, 2}), new Piece.Media());

    @Test
    void aRawPromptIsAsLongAsItsTextsAndTokens() {
        assertEquals(6, new PromptContent.Raw(PIECES, null).length());
    }

    @Test
    void whatItsAnswerFollowsCountsToo() {
        Constraint grammar = new Constraint("grammar", "root ::= \"a\"", null, null);
        assertEquals(6 + 12, new PromptContent.Raw(PIECES, grammar).length());
        Constraint schema = new Constraint("json_schema", null, "{}", Map.of("^a", "\"a\" ."));
        assertEquals(6 + 2 + 2 + 5, new PromptContent.Raw(PIECES, schema).length());
    }
}
