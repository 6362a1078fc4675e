package dev.luq.openai.responses;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.openai.images.Detail;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTranslationTest {

    private static final ModelInfo MODEL =
            new ModelInfo("Tiny", "qwen2vl", "F16", 1_000, 2_000, 16, 2048, 2048, 4, true, true, 64, null);
    private static final String INPUT = "\"input\":\"hi\"";

    @Test
    void aTextIsAMessageOfTheUserAndInstructionsComeFirst() {
        assertEquals(messages("{\"role\":\"user\",\"content\":\"hi\"}"), chat(INPUT));
        assertEquals(
                messages("{\"role\":\"system\",\"content\":\"be brief\"},{\"role\":\"user\",\"content\":\"hi\"}"),
                chat(INPUT + ",\"instructions\":\"be brief\""));
    }

    @Test
    void itemsBecomeMessages() {
        String input =
                """
                "input": [
                  {"role": "developer", "content": "be brief"},
                  {"type": "message", "role": "user", "content": [
                    {"type": "input_text", "text": "what is it?"},
                    {"type": "input_image", "image_url": "data:a", "detail": "low"}]},
                  {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                   "content": [{"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []}]},
                  {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
                  {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{\\"a\\":1}"},
                  {"type": "function_call_output", "call_id": "c1", "output": "42"},
                  {"type": "function_call_output", "call_id": "c2",
                   "output": [{"type": "input_text", "text": "43"}]},
                  {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
                  {"type": "function_call", "call_id": "c3", "name": "f", "arguments": ""}]
                """;
        ValidRequest valid = valid(input);
        assertEquals(
                messages("{\"role\":\"system\",\"content\":\"be brief\"},"
                        + "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"what is it?\"},"
                        + "{\"type\":\"media_marker\"}]},"
                        + "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"I look.\"}],\"tool_calls\":["
                        + call("c1", "f", "{}") + "," + call("c2", "g", "{\\\"a\\\":1}") + "]},"
                        + "{\"role\":\"tool\",\"content\":\"42\",\"tool_call_id\":\"c1\"},"
                        + "{\"role\":\"tool\",\"content\":[{\"type\":\"text\",\"text\":\"43\"}],\"tool_call_id\":\"c2\"},"
                        + "{\"role\":\"assistant\",\"content\":null,\"reasoning_content\":\"hm\",\"tool_calls\":["
                        + call("c3", "f", "{}") + "]}"),
                Prompts.chat(valid.generate("id", 0, List.of())));
        assertEquals("data:a", valid.images().get(0).url());
        assertEquals(Detail.LOW, valid.images().get(0).detail());
    }

    private static String call(String id, String name, String arguments) {
        return "{\"id\":\"" + id + "\",\"type\":\"function\",\"function\":{\"name\":\"" + name + "\",\"arguments\":\""
                + arguments + "\"}}";
    }

    @Test
    void toolsAreFlat() {
        String tool = "{\"type\":\"function\",\"name\":\"%s\",\"parameters\":{\"type\":\"object\"},\"strict\":%s}";
        String f = tool.formatted("f", "true");
        String g = tool.formatted("g", "null");
        String inChat = "{\"type\":\"function\",\"function\":{\"name\":\"%s\",\"parameters\":{\"type\":\"object\"}%s}}";
        String both = ",\"tools\":[" + f + "," + g + "]";
        assertTrue(chat(INPUT + both)
                .endsWith(",\"tools\":[" + inChat.formatted("f", ",\"strict\":true") + "," + inChat.formatted("g", "")
                        + "],\"tool_choice\":\"auto\",\"parallel_tool_calls\":true}"));
        String onlyG =
                ",\"tools\":[" + inChat.formatted("g", "") + "],\"tool_choice\":\"%s\",\"parallel_tool_calls\":false}";
        for (String choice : List.of(
                "{\"type\":\"function\",\"name\":\"g\"}",
                "{\"type\":\"allowed_tools\",\"mode\":\"required\",\"tools\":[{\"type\":\"function\",\"name\":\"g\"}]}")) {
            String chat = chat(INPUT + both + ",\"parallel_tool_calls\":false,\"tool_choice\":" + choice);
            assertTrue(chat.endsWith(onlyG.formatted("required")), chat);
        }
    }

    @Test
    void formatsAreFlat() {
        assertFalse(chat(INPUT + ",\"text\":{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}")
                .contains("json_schema"));
        assertTrue(chat(INPUT + ",\"text\":{\"format\":{\"type\":\"json_object\"}}")
                .endsWith(",\"json_schema\":{\"type\":\"object\"}}"));
        assertTrue(chat(INPUT + ",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"strict\":true,"
                        + "\"schema\":{\"type\":\"string\"}}}")
                .endsWith(",\"json_schema\":{\"type\":\"string\"}}"));
    }

    @Test
    void settingsArrive() {
        ServerFrame.Generate frame = valid(INPUT
                        + ",\"max_output_tokens\":7,\"temperature\":0.5,\"top_p\":0.25,\"top_k\":3,\"min_p\":0.125,\"seed\":9,"
                        + "\"stop\":[\"a\"],\"cache_prompt\":false,\"include\":[\"message.output_text.logprobs\"],"
                        + "\"top_logprobs\":2")
                .generate("id", 0, List.of());
        assertEquals(7, frame.maxTokens());
        assertEquals(0.5f, frame.sampling().temperature());
        assertEquals(0.25f, frame.sampling().topP());
        assertEquals(3, frame.sampling().topK());
        assertEquals(0.125f, frame.sampling().minP());
        assertEquals(9L, frame.sampling().seed());
        assertEquals(List.of("a"), frame.stop());
        assertFalse(frame.cachePrompt());
        assertEquals(2, frame.topLogprobs());
        assertEquals(-1, valid(INPUT + ",\"top_logprobs\":0").topLogprobs());
        assertEquals(3, valid(INPUT + ",\"top_logprobs\":3").topLogprobs());
    }

    @Test
    void whetherTheModelThinksArrives() {
        assertTrue(chat(INPUT + ",\"reasoning\":{\"effort\":\"none\"}").endsWith(",\"enable_thinking\":false}"));
        assertTrue(chat(INPUT + ",\"enable_thinking\":true").endsWith(",\"enable_thinking\":true}"));
        assertTrue(chat(INPUT + ",\"reasoning\":{\"effort\":\"low\"},\"chat_template_kwargs\":{\"a\":1}")
                .endsWith(",\"chat_template_kwargs\":{\"a\":1,\"reasoning_effort\":\"low\"}}"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ",\"store\":true",
                ",\"reasoning\":{\"summary\":\"auto\"}",
                ",\"truncation\":\"disabled\",\"background\":false,\"previous_response_id\":null",
                ",\"include\":[\"reasoning.encrypted_content\"]",
                ",\"service_tier\":\"auto\",\"user\":\"u\",\"prompt_cache_key\":\"k\",\"safety_identifier\":\"s\""
            })
    void whatChangesNothingIsAccepted(String fields) {
        assertEquals(chat(INPUT), chat(INPUT + fields));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "previous_response_id | \"previous_response_id\":\"resp_1\"",
                "conversation | \"conversation\":{\"id\":\"conv_1\"}",
                "prompt | \"prompt\":{\"id\":\"p\"}",
                "background | \"background\":true",
                "truncation | \"truncation\":\"auto\"",
                "context_management | \"context_management\":[{\"type\":\"compaction\"}]",
                "moderation | \"moderation\":{\"model\":\"m\"}",
                "include[0] | \"include\":[\"everything\"]",
                "metadata | \"metadata\":{\"a\":null}",
                "tools[0].type | \"tools\":[{\"type\":\"web_search\"}]",
                "tool_choice.tools[0].name | \"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":[{\"name\":\"f\"}]}",
                "tool_choice.mode | \"tool_choice\":{\"type\":\"allowed_tools\",\"tools\":[]}",
                // checked where chat requests are
                "max_output_tokens | \"max_output_tokens\":0",
                "temperature | \"temperature\":3",
                "top_logprobs | \"top_logprobs\":21",
                "tools[0].name | \"tools\":[{\"type\":\"function\",\"name\":\"a b\"}]",
                "tools[0].parameters.properties.a.pattern | \"tools\":[{\"type\":\"function\",\"name\":\"a\",\"strict\":true,\"parameters\":{\"properties\":{\"a\":{\"pattern\":\"(?=x)\"}}}}]",
                "tool_choice.name | \"tool_choice\":{\"type\":\"function\",\"name\":\"f\"}",
                "tool_choice.type | \"tool_choice\":{\"type\":\"file_search\"}",
                "text.format.type | \"text\":{\"format\":{\"type\":\"xml\"}}",
                "reasoning.effort | \"reasoning\":{\"effort\":\"lots\"}",
                "n | \"n\":2",
                "max_tool_calls | \"max_tool_calls\":1",
                "max_tokens | \"max_tokens\":5",
                "n_predict | \"n_predict\":5",
                "repeat_last_n | \"repeat_last_n\":0",
                "continue_final_message | \"continue_final_message\":true",
                "grammar | \"grammar\":\"root ::= \\\"a\\\"\"",
                "repetition_penalty | \"repetition_penalty\":1.3",
                "text.format.schema | \"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\"}}"
            })
    void whatCannotBeIsRefusedByTheNameThatTheClientKnows(String field, String setting) {
        assertRefused(field, INPUT + "," + setting);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "input | null",
                "input | []",
                "input | 5",
                "input[0] | [5]",
                "input[0].role | [{\"content\":\"x\"}]",
                "input[0].role | [{\"role\":\"tool\",\"content\":\"x\"}]",
                "input[0].type | [{\"type\":\"computer_call\"}]",
                "input[0] | [{\"type\":\"item_reference\",\"id\":\"msg_1\"}]",
                "input[1].content | [{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"user\"}]",
                "input[0].content[1].type | [{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"x\"},{\"type\":\"image_url\"}]}]",
                "input[0].content[0].text | [{\"role\":\"user\",\"content\":[{\"type\":\"input_text\"}]}]",
                "input[0].content[0].image_url | [{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]",
                "input[0].content[0].file_id | [{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":\"file_1\"}]}]",
                "input[0].content[0].detail | [{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"u\",\"detail\":\"max\"}]}]",
                "input[0].call_id | [{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"{}\"}]",
                "input[1].arguments | [{\"role\":\"assistant\",\"content\":\"x\"},{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"[\"}]",
                "input[0].call_id | [{\"type\":\"function_call_output\",\"output\":\"x\"}]",
                "input[0].output | [{\"type\":\"function_call_output\",\"call_id\":\"c\"}]"
            })
    void inputIsChecked(String field, String input) {
        assertRefused(field, "\"input\":" + input);
    }

    @Test
    void filesAndSoundAreNotUnderstood() {
        for (String type : List.of("input_file", "input_audio")) {
            ApiError error = refusal("\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"" + type + "\"}]}]");
            assertEquals("unsupported_modality", error.code());
            assertEquals("input[0].content[0]", error.param());
        }
    }

    @Test
    void instructionsThatAreTooLongAreSaidToBeInput() {
        ApiError error = refusal(INPUT + ",\"instructions\":\"" + "x".repeat(2048 * 64) + "\"");
        assertEquals("context_length_exceeded", error.code());
        assertEquals("input", error.param());
        assertTrue(error.message().endsWith("Shorten the input."), error.message());
    }

    private static void assertRefused(String field, String fields) {
        ApiError error = refusal(fields);
        assertEquals(400, error.status());
        assertEquals("invalid_request", error.code());
        assertEquals(field, error.param(), error.message());
        assertFalse(error.message().contains("messages["), error.message());
    }

    private static ApiError refusal(String fields) {
        ResponseExchange exchange = exchange(fields);
        return assertThrows(ApiException.class, () -> exchange.validate(MODEL), fields)
                .error()
                .named(exchange.fields());
    }

    private static String messages(String messages) {
        return "{\"messages\":[" + messages + "]}";
    }

    private static String chat(String fields) {
        return Prompts.chat(valid(fields).generate("id", 0, List.of()));
    }

    private static ValidRequest valid(String fields) {
        return exchange(fields).validate(MODEL);
    }

    private static ResponseExchange exchange(String fields) {
        byte[] body = ("{" + fields + "}").getBytes(StandardCharsets.UTF_8);
        try {
            return new ResponseExchange(
                    JsonBody.read(new ByteArrayInputStream(body), 10_000_000, ResponseRequest.class));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
