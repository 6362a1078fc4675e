package dev.luq.openai.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException.InvalidRequest;
import org.junit.jupiter.api.Test;

class FieldNamesTest {

    private final FieldNames names = new FieldNames();

    @Test
    void aFieldHasTheNameOfTheLongestBeginningThatIsKnown() {
        names.put("messages[2]", "input[1]");
        names.put("messages[2].content[0].image_url.url", "input[1].content[0].image_url");
        names.put("max_completion_tokens", "max_output_tokens");
        assertEquals("input[1].content[3].text", names.of("messages[2].content[3].text"));
        assertEquals("input[1].content[0].image_url", names.of("messages[2].content[0].image_url.url"));
        assertEquals("messages[20]", names.of("messages[20]"));
        assertEquals("max_output_tokens", names.of("max_completion_tokens"));
        assertEquals("temperature", names.of("temperature"));
    }

    @Test
    void theMessageOfAnErrorSaysTheSameName() {
        names.put("n", "count");
        ApiError error = new InvalidRequest("n", "n must be an integer, and is not").error();
        assertEquals(
                "count must be an integer, and is not", error.named(names::of).message());
        assertEquals("count", error.named(names::of).param());
        ApiError other = new InvalidRequest(null, "The body is no n").error();
        assertEquals(other, other.named(names::of));
    }
}
