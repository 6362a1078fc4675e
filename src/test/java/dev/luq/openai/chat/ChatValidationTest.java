package dev.luq.openai.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.JsonBody;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.openai.images.Detail;
import dev.luq.protocol.ModelDefaults;
import dev.luq.protocol.Prompts;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatValidationTest {

    private static final ModelInfo VISION =
            new ModelInfo("Tiny", "qwen2vl", "F16", 1_000, 2_000, 16, 2048, 2048, 4, true, true, 64, null);
    private static final ModelInfo TEXT =
            new ModelInfo("Tiny", "llama", "F16", 1_000, 2_000, 16, 2048, 2048, 4, false, true, 64, null);
    private static final String USER = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    @Test
    void defaultsAreThoseOfTheApi() {
        ServerFrame.Generate frame = frame("");
        assertEquals(Sampling.DEFAULT, frame.sampling());
        assertEquals(0, frame.maxTokens());
        assertEquals(List.of(), frame.stop());
        assertEquals(-1, frame.topLogprobs());
        assertTrue(frame.cachePrompt());
        assertEquals("{" + USER + "}", Prompts.chat(frame));
        assertFalse(valid("").stream());
        assertEquals(1, valid("").choices());
    }

    @Test
    void aModelsOwnDefaultsHoldWhereARequestSaysNothing() {
        ModelInfo own = TEXT.with(new ModelDefaults(0.2, 0.9, 40, 0.05, 1.1, 100, 42L, "Be brief.", null));
        ServerFrame.Generate plain = validate("{" + USER + "}", own).generate("id", 0, List.of());
        assertEquals(new Sampling(0.2f, 0.9f, 40, 0.05f, 0f, 0f, 1.1f, 42L, Map.of(), false), plain.sampling());
        assertEquals(100, plain.maxTokens());
        assertEquals(
                "{" + USER.replace("[", "[{\"role\":\"system\",\"content\":\"Be brief.\"},") + ",\"own_messages\":1}",
                Prompts.chat(plain));
        ServerFrame.Generate explicit = validate(
                        "{" + USER + ",\"temperature\":1,\"top_p\":1,\"top_k\":0,\"min_p\":0,\"repeat_penalty\":1,"
                                + "\"max_completion_tokens\":7,\"seed\":8}",
                        own)
                .generate("id", 0, List.of());
        assertEquals(Sampling.DEFAULT.withSeed(8), explicit.sampling());
        assertEquals(7, explicit.maxTokens());
        assertEquals(
                5,
                validate("{" + USER + ",\"max_tokens\":5}", own).maxTokens(),
                "the old name is a request's word too");
    }

    @Test
    void errorsCountTheMessagesThatTheRequestHas() {
        ModelInfo own = TEXT.with(new ModelDefaults(null, null, null, null, null, null, null, "Be brief.", null));
        String messages = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                + "{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}";
        ApiException refused = assertThrows(ApiException.class, () -> validate(messages, own));
        assertEquals("messages[2]", refused.error().param());
    }

    @Test
    void penaltiesOfTheModelHaveAWindowToo() {
        ModelInfo own = TEXT.with(new ModelDefaults(null, null, null, null, 1.1, null, null, null, null));
        ApiException refused =
                assertThrows(ApiException.class, () -> validate("{" + USER + ",\"repeat_last_n\":256}", own));
        assertEquals("repeat_last_n", refused.error().param());
    }

    @ParameterizedTest
    @ValueSource(strings = {"system", "developer"})
    void aSystemMessageOfTheRequestTakesThePlaceOfTheModels(String role) {
        ModelInfo own = TEXT.with(new ModelDefaults(null, null, null, null, null, null, null, "Be brief.", null));
        String messages = "{\"messages\":[{\"role\":\"" + role
                + "\",\"content\":\"Sing.\"},{\"role\":\"user\",\"content\":\"hi\"}]}";
        assertEquals(
                messages.replace("developer", "system"),
                Prompts.chat(validate(messages, own).generate("id", 0, List.of())));
    }

    @Test
    void everyScalarMayBeNull() {
        String nulls = List.of(
                        "model",
                        "temperature",
                        "top_p",
                        "top_k",
                        "min_p",
                        "frequency_penalty",
                        "presence_penalty",
                        "repeat_penalty",
                        "seed",
                        "logit_bias",
                        "n",
                        "max_completion_tokens",
                        "max_tokens",
                        "stop",
                        "logprobs",
                        "top_logprobs",
                        "response_format",
                        "tools",
                        "tool_choice",
                        "parallel_tool_calls",
                        "stream",
                        "stream_options",
                        "cache_prompt",
                        "timings",
                        "grammar",
                        "json_schema",
                        "ignore_eos",
                        "n_predict",
                        "n_probs",
                        "repeat_last_n",
                        "continue_final_message",
                        "add_generation_prompt",
                        "keep_alive",
                        "mirostat",
                        "user",
                        "metadata",
                        "id_slot")
                .stream()
                .map(field -> ",\"" + field + "\":null")
                .reduce("", String::concat);
        assertEquals(frame(""), frame(nulls));
    }

    @Test
    void unknownFieldsAreIgnored() {
        assertEquals(
                frame(""),
                frame(",\"store\":true,\"metadata\":{\"a\":[1]},\"user\":\"u\",\"verbosity\":\"low\","
                        + "\"service_tier\":5,\"prompt_cache_key\":{},\"made_up\":[[[]]],\"id_slot\":3"));
    }

    @Test
    void everySettingArrives() {
        ServerFrame.Generate frame = frame(",\"temperature\":0,\"top_p\":0.5,\"top_k\":40,\"min_p\":0.1,"
                + "\"frequency_penalty\":-2,\"presence_penalty\":2,\"repeat_penalty\":1.1,\"seed\":9223372036854775807,"
                + "\"logit_bias\":{\"5\":-100,\"7\":1.5},\"max_completion_tokens\":7,\"max_tokens\":9,\"stop\":\"x\","
                + "\"logprobs\":true,\"top_logprobs\":20,\"response_format\":{\"type\":\"json_object\"},"
                + "\"parallel_tool_calls\":false,\"cache_prompt\":false,\"ignore_eos\":true");
        assertEquals(
                new Sampling(0f, 0.5f, 40, 0.1f, -2f, 2f, 1.1f, Long.MAX_VALUE, Map.of(5, -100f, 7, 1.5f), true),
                frame.sampling());
        assertEquals(7, frame.maxTokens());
        assertEquals(List.of("x"), frame.stop());
        assertEquals(20, frame.topLogprobs());
        assertEquals("{" + USER + ",\"json_schema\":{\"type\":\"object\"}}", Prompts.chat(frame));
        assertFalse(frame.cachePrompt());
        assertEquals(9, frame(",\"max_tokens\":9").maxTokens());
        assertEquals(0, frame(",\"logprobs\":true").topLogprobs());
        assertEquals(List.of("a", "b"), frame(",\"stop\":[\"a\",\"b\"]").stop());
        assertEquals(10, frame(",\"max_tokens\":1e1").maxTokens());
    }

    @Test
    void whatPeersTakeForNothingIsNothing() {
        ServerFrame.Generate plain = frame("");
        for (String field : List.of(
                "\"max_tokens\":-1",
                "\"n_predict\":-1",
                "\"top_k\":-1",
                "\"tools\":[]",
                "\"tool_choice\":\"none\"",
                "\"tools\":[],\"tool_choice\":\"auto\"",
                "\"grammar\":\"\"",
                "\"n_probs\":0",
                "\"repeat_last_n\":256",
                "\"repeat_last_n\":0,\"repeat_penalty\":1.5,\"presence_penalty\":1",
                "\"continue_final_message\":false",
                "\"add_generation_prompt\":true",
                "\"mirostat\":0,\"mirostat_tau\":5,\"typical_p\":1.0,\"dry_multiplier\":0,\"dry_base\":1.75,"
                        + "\"xtc_probability\":0,\"top_n_sigma\":-1,\"dynatemp_range\":0,\"min_keep\":0,\"lora\":[]",
                "\"samplers\":[\"penalties\",\"dry\",\"top_n_sigma\",\"top_k\",\"typ_p\",\"top_p\",\"min_p\",\"xtc\","
                        + "\"temperature\"]",
                "\"reasoning_format\":\"none\",\"chat_template_kwargs\":{}",
                "\"best_of\":1,\"repetition_penalty\":1,\"stop_token_ids\":[],\"min_tokens\":0,"
                        + "\"skip_special_tokens\":true,\"guided_json\":null",
                "\"functions\":[],\"function_call\":\"auto\",\"modalities\":[\"text\"],\"audio\":null")) {
            assertEquals(plain, frame("," + field), field);
        }
        assertEquals(7, frame(",\"n_predict\":7").maxTokens());
        assertEquals(5, frame(",\"n_probs\":5").topLogprobs());
        String stops = "\"x\",".repeat(63) + "\"x\"";
        assertEquals(64, frame(",\"stop\":[" + stops + "]").stop().size());
        assertEquals("stop", refusal(",\"stop\":[" + stops + ",\"x\"]").error().param());
        String longStops = ("\"" + "x".repeat(1000) + "\",").repeat(8);
        assertEquals(
                "stop",
                refusal(",\"stop\":[" + longStops + longStops + "\"x\"]")
                        .error()
                        .param());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "typical_p | 0.5",
                "mirostat | 2",
                "dry_multiplier | 0.8",
                "xtc_probability | 0.5",
                "top_n_sigma | 1",
                "dynatemp_range | 0.5",
                "min_keep | 3",
                "samplers | [\"temperature\",\"top_k\"]",
                "samplers | \"kt\"",
                "lora | [{\"id\":0,\"scale\":1}]",
                "reasoning_format | \"deepseek-legacy\"",
                "chat_template | \"{{ messages }}\"",
                "repetition_penalty | 1.1",
                "best_of | 2",
                "use_beam_search | true",
                "stop_token_ids | [5]",
                "min_tokens | 3",
                "skip_special_tokens | false",
                "bad_words | [\"x\"]",
                "guided_json | {\"type\":\"object\"}",
                "structured_outputs | {\"regex\":\"a\"}",
                "functions | [{\"name\":\"f\"}]",
                "function_call | {\"name\":\"f\"}",
                "modalities | [\"text\",\"audio\"]",
                "audio | {\"voice\":\"x\"}",
                "web_search_options | {\"user_location\":null}"
            })
    void whatThisServerHasNotIsRefusedByName(String field, String value) {
        ApiException refused = refusal(",\"" + field + "\":" + value);
        assertEquals("invalid_request", refused.error().code());
        assertEquals(field, refused.error().param());
    }

    @Test
    void aTextHasABiasForEachOfItsTokens() {
        Sampling sampling =
                frame(",\"logit_bias\":{\" maybe\":-100,\"5\":1,\"1st\":2}").sampling();
        assertEquals(Map.of(5, 1f), sampling.logitBias());
        assertEquals(Map.of(" maybe", -100f, "1st", 2f), sampling.textBias());
        String longest = "x".repeat(256);
        assertEquals(
                Map.of(longest, 1f),
                frame(",\"logit_bias\":{\"" + longest + "\":1}").sampling().textBias());
        assertEquals(
                "logit_bias",
                refusal(",\"logit_bias\":{\"x" + longest + "\":1}").error().param());
    }

    @Test
    void whetherTheModelThinksIsSaidInSeveralWays() {
        for (String off : List.of(
                "\"enable_thinking\":false",
                "\"reasoning_effort\":\"none\"",
                "\"chat_template_kwargs\":{\"enable_thinking\":false}",
                "\"enable_thinking\":false,\"reasoning_effort\":\"none\"")) {
            assertEquals("{" + USER + ",\"enable_thinking\":false}", Prompts.chat(frame("," + off)), off);
        }
        assertEquals(
                "{" + USER + ",\"chat_template_kwargs\":{\"reasoning_effort\":\"high\"}}",
                Prompts.chat(frame(",\"reasoning_effort\":\"high\"")));
        for (String contrary : List.of(
                "\"enable_thinking\":false,\"chat_template_kwargs\":{\"enable_thinking\":true}",
                "\"enable_thinking\":true,\"reasoning_effort\":\"none\"")) {
            assertEquals("enable_thinking", refusal("," + contrary).error().param(), contrary);
        }
        assertEquals(
                "reasoning_effort",
                refusal(",\"reasoning_effort\":\"lots\"").error().param());
    }

    @Test
    void thoughtsAreToldFromTheAnswerWhereThatIsAskedFor() {
        for (String format : List.of("auto", "deepseek")) {
            assertEquals(
                    "{" + USER + ",\"reasoning_format\":\"" + format + "\"}",
                    Prompts.chat(frame(",\"reasoning_format\":\"" + format + "\"")));
        }
    }

    @Test
    void aRequestSaysOtherwiseThanTheModelsConfiguration() {
        ModelInfo silent = TEXT.with(new ModelDefaults(null, null, null, null, null, null, null, null, false));
        String off = "{" + USER + ",\"enable_thinking\":false}";
        assertEquals(off, Prompts.chat(validate("{" + USER + "}", silent).generate("id", 0, List.of())));
        assertEquals(
                off.replace("false", "true"),
                Prompts.chat(validate(off.replace("false", "true"), silent).generate("id", 0, List.of())));
    }

    @Test
    void variablesReachTheTemplate() {
        assertEquals(
                "{" + USER + ",\"chat_template_kwargs\":{\"mode\":\"brief\",\"list\":[1,true]}}",
                Prompts.chat(frame(",\"chat_template_kwargs\":{\"mode\":\"brief\",\"none\":null,\"list\":[1,true]}")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "chat_template_kwargs | 5",
                "chat_template_kwargs | {\"no name\":1}",
                "chat_template_kwargs.messages | {\"messages\":[]}",
                "chat_template_kwargs.tools | {\"tools\":[]}",
                "chat_template_kwargs.bos_token | {\"bos_token\":\"x\"}",
                "chat_template_kwargs.enable_thinking | {\"enable_thinking\":\"no\"}"
            })
    void variablesThatCannotBeGivenAreNamed(String field, String value) {
        assertEquals(
                field, refusal(",\"chat_template_kwargs\":" + value).error().param());
    }

    @Test
    void variablesAreBounded() {
        String longest = ",\"chat_template_kwargs\":{\"a\":\"" + "x".repeat(64 * 1024) + "\"}";
        assertEquals("chat_template_kwargs", refusal(longest).error().param());
    }

    @Test
    void aPenaltyWithAnotherWindowIsRefused() {
        assertEquals(
                "repeat_last_n",
                refusal(",\"repeat_last_n\":256,\"repeat_penalty\":1.1").error().param());
    }

    @Test
    void aGrammarOrASchemaAtTheTopIsFollowed() {
        assertEquals(
                "{" + USER + ",\"grammar\":\"root ::= \\\"a\\\"\"}",
                Prompts.chat(frame(",\"grammar\":\"root ::= \\\"a\\\"\"")));
        String schema = "{\"type\":\"array\"}";
        for (String field : List.of(
                "\"json_schema\":" + schema,
                "\"response_format\":{\"type\":\"json_object\",\"schema\":" + schema + "}",
                "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":" + schema + "}}")) {
            assertEquals("{" + USER + ",\"json_schema\":" + schema + "}", Prompts.chat(frame("," + field)));
            assertEquals(
                    "grammar",
                    refusal(",\"grammar\":\"root ::= x\"," + field).error().param());
        }
        String tools = ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]";
        assertEquals("grammar", refusal(",\"grammar\":\"x\"" + tools).error().param());
        frame(",\"grammar\":\"x\",\"tool_choice\":\"none\"" + tools);
        assertEquals(
                "json_schema",
                refusal(",\"json_schema\":{},\"response_format\":{\"type\":\"json_object\"}")
                        .error()
                        .param());
        assertEquals(
                "schema_too_complex",
                refusal(",\"grammar\":\"" + "x".repeat(300_000) + "\"").error().code());
    }

    @Test
    void aSchemaThatIsNotStrictIsEnforcedAsFarAsAGrammarGoes() {
        String format = ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"strict\":%s,\"schema\":"
                + "{\"type\":\"number\",\"minimum\":0}}}";
        frame(format.formatted(false));
        for (String strict : List.of("true", "null")) {
            assertEquals(
                    "response_format.json_schema.schema.minimum",
                    refusal(format.formatted(strict)).error().param());
        }
    }

    @Test
    void anAnswerContinuesAMessageOfTheAssistant() {
        String begun =
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"So\"}]";
        String continues = ",\"continue_final_message\":true}";
        for (String field : List.of("", ",\"continue_final_message\":true,\"add_generation_prompt\":false")) {
            assertTrue(chat(begun + field + "}").endsWith(continues), field);
        }
        for (String field : List.of(",\"continue_final_message\":false", ",\"add_generation_prompt\":true")) {
            assertFalse(chat(begun + field + "}").contains("continue_final_message"), field);
        }
        assertTrue(
                chat("{" + USER + ",\"add_generation_prompt\":false}").endsWith(",\"add_generation_prompt\":false}"));
        String assistant = "{\"role\":\"assistant\",\"content\":\"So\"%s}";
        for (String[] refused : new String[][] {
            {"continue_final_message", "{" + USER + continues},
            {"continue_final_message", begun + ",\"add_generation_prompt\":true" + continues},
            {"messages[1]", "{\"messages\":[" + assistant.formatted("") + "," + assistant.formatted("") + "]}"},
            {
                "messages[0].reasoning_content",
                "{\"messages\":[" + assistant.formatted(",\"reasoning_content\":\"x\"") + "]}"
            },
            {
                "messages[0].tool_calls",
                "{\"messages\":["
                        + assistant.formatted(
                                ",\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]")
                        + "]}"
            }
        }) {
            ApiException refusal = assertThrows(ApiException.class, () -> validate(refused[1], TEXT), refused[1]);
            assertEquals(refused[0], refusal.error().param());
        }
    }

    private static String chat(String body) {
        return Prompts.chat(validate(body, TEXT).generate("id", 0, List.of()));
    }

    @Test
    void picturesAreTakenFromAllButTheAssistant() {
        String image = "[{\"type\":\"image_url\",\"image_url\":{\"url\":\"u\",\"detail\":\"original\"}}]";
        ValidRequest request = validate(
                "{\"messages\":[{\"role\":\"system\",\"content\":" + image
                        + "},{\"role\":\"tool\",\"tool_call_id\":\"1\"," + "\"content\":" + image
                        + "},{\"role\":\"function\",\"name\":\"f\",\"content\":" + image + "}]}",
                VISION);
        assertEquals(3, request.images().size());
        assertEquals(Detail.HIGH, request.images().get(0).detail());
        assertTrue(
                Prompts.chat(request.generate("id", 0, List.of()))
                        .endsWith(
                                "{\"role\":\"tool\",\"content\":[{\"type\":\"media_marker\"}],\"tool_call_id\":\"f\",\"name\":\"f\"}]}"));
    }

    @Test
    void choicesHaveSeedsOfTheirOwn() {
        ValidRequest request = valid(",\"n\":3,\"seed\":41");
        assertEquals(3, request.choices());
        assertEquals(41, request.generate("id", 0, List.of()).sampling().seed());
        assertEquals(43, request.generate("id", 2, List.of()).sampling().seed());
        assertNull(valid(",\"n\":2").generate("id", 1, List.of()).sampling().seed());
        assertNull(valid(",\"seed\":-1").sampling().seed(), "drawn, as llama-server does");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "temperature | 2.1",
                "temperature | -0.1",
                "temperature | 1e999",
                "temperature | \"1\"",
                "temperature | true",
                "temperature | []",
                "top_p | 1.5",
                "top_p | {}",
                "min_p | -1",
                "top_k | -2",
                "top_k | 1.5",
                "frequency_penalty | 2.5",
                "presence_penalty | -3",
                "repeat_penalty | 0",
                "n | 0",
                "n | 5",
                "n | 1000000000",
                "n | 1e9",
                "n | -1",
                "n | 1.5",
                "n | \"2\"",
                "n | true",
                "max_tokens | -2",
                "max_tokens | 0",
                "max_tokens | 1e12",
                "max_tokens | 1000000000000",
                "max_tokens | 1e-999999999",
                "max_tokens | 1e999999999",
                "max_completion_tokens | 1.5",
                "seed | 1e30",
                "seed | 99999999999999999999",
                "seed | \"1\"",
                "stop | 5",
                "stop | \"\"",
                "stop[1] | [\"a\",\"\"]",
                "stop[0] | [1]",
                "n_predict | -2",
                "n_probs | 21",
                "repeat_last_n | -2",
                "continue_final_message | \"yes\"",
                "grammar | 5",
                "json_schema | []",
                "json_schema.properties.a.pattern | {\"properties\":{\"a\":{\"pattern\":\"(?=x)\"}}}",
                "response_format.schema | {\"type\":\"json_object\",\"schema\":5}",
                "top_logprobs | 5",
                "logprobs | 1",
                "logprobs | \"true\"",
                "stream | \"yes\"",
                "stream | 1",
                "logit_bias | {\"-1\":1}",
                "logit_bias | {\"1000000000\":1}",
                "logit_bias | {\"\":1}",
                "logit_bias.x | {\"x\":-101}",
                "logit_bias.3 | {\"3\":101}",
                "logit_bias | []",
                "logit_bias.3 | {\"3\":\"1\"}",
                "logit_bias.3 | {\"3\":null}",
                "model | 5",
                "model | {}",
                "stream_options | true",
                "stream_options.include_usage | {\"include_usage\":1}",
                "tools | {}",
                "tools[0] | [null]",
                "tools[0].type | [{\"type\":\"x\"}]",
                "tools[0].function | [{\"type\":\"function\"}]",
                "tools[0].function.name | [{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]",
                "tools[0].function.parameters | [{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":[]}}]",
                "tool_choice | \"any\"",
                "tool_choice | \"required\"",
                "tool_choice.type | {\"type\":\"x\"}",
                "tool_choice.function.name | {\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
                "response_format | \"json\"",
                "response_format.type | {}",
                "response_format.type | {\"type\":\"xml\"}",
                "response_format.json_schema | {\"type\":\"json_schema\"}",
                "response_format.json_schema.schema | {\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\"}}"
            })
    void refusalsNameTheField(String param, String value) {
        String field = param.replaceAll("[.\\[].*", "");
        ApiException refused = refusal(",\"" + field + "\":" + value);
        assertEquals(400, refused.error().status());
        assertEquals("invalid_request", refused.error().code());
        assertEquals(param, refused.error().param());
        assertTrue(refused.getMessage().contains(field), refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "messages | null",
                "messages | []",
                "messages | {}",
                "messages | \"hi\"",
                "messages[0] | [null]",
                "messages[0] | [\"hi\"]",
                "messages[0].role | [{\"content\":\"hi\"}]",
                "messages[0].role | [{\"role\":\"boss\",\"content\":\"hi\"}]",
                "messages[0].role | [{\"role\":5,\"content\":\"hi\"}]",
                "messages[0].content | [{\"role\":\"user\"}]",
                "messages[0].content | [{\"role\":\"user\",\"content\":null}]",
                "messages[0].content | [{\"role\":\"user\",\"content\":5}]",
                "messages[0].content | [{\"role\":\"user\",\"content\":[]}]",
                "messages[0].content[0] | [{\"role\":\"user\",\"content\":[5]}]",
                "messages[0].content[0].type | [{\"role\":\"user\",\"content\":[{}]}]",
                "messages[0].content[0].type | [{\"role\":\"user\",\"content\":[{\"type\":\"poem\"}]}]",
                "messages[0].content[0].text | [{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]",
                "messages[0].content[0].text | [{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":5}]}]",
                "messages[0].content[0].image_url | [{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]",
                "messages[0].content[0].image_url.url | [{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]",
                "messages[0].content[0].image_url.detail | [{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"u\",\"detail\":\"max\"}}]}]",
                "messages[0].content[0] | [{\"role\":\"assistant\",\"content\":[{\"type\":\"image_url\",\"image_url\":\"u\"}]}]",
                "messages[0].name | [{\"role\":\"function\",\"content\":\"1\"}]",
                "messages[0].tool_call_id | [{\"role\":\"tool\",\"content\":\"1\"}]",
                "messages[0].tool_calls[0].id | [{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}]",
                "messages[0].tool_calls[0].function.arguments | [{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\",\"function\":{\"name\":\"f\"}}]}]"
            })
    void messagesAreChecked(String param, String messages) {
        ApiException refused =
                assertThrows(ApiException.class, () -> validate("{\"messages\":" + messages + "}", VISION));
        assertEquals(400, refused.error().status());
        assertEquals("invalid_request", refused.error().code());
        assertEquals(param, refused.error().param());
    }

    @Test
    void messagesReachTheWorkerAsTemplatesTakeThem() {
        String image = "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:a\",\"detail\":\"low\"}}";
        String bare = "{\"type\":\"image_url\",\"image_url\":\"data:b\"}";
        ValidRequest request = validate(
                "{\"messages\":["
                        + "{\"role\":\"developer\",\"content\":\"be brief\"},"
                        + "{\"role\":\"user\",\"name\":\"Ann\",\"content\":[" + image
                        + ",{\"type\":\"text\",\"text\":\"and\"}," + bare + "]},"
                        + "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                        + "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"42\"},"
                        + "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\"}]}",
                VISION);
        assertEquals(
                "{\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
                        + "{\"role\":\"user\",\"content\":[{\"type\":\"media_marker\"},{\"type\":\"text\",\"text\":\"and\"},"
                        + "{\"type\":\"media_marker\"}],\"name\":\"Ann\"},"
                        + "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                        + "{\"role\":\"tool\",\"content\":\"42\",\"tool_call_id\":\"c1\"},"
                        + "{\"role\":\"assistant\",\"content\":\"no\"}],\"continue_final_message\":true}",
                Prompts.chat(request.generate("id", 0, List.of())));
        assertEquals(
                List.of("data:a", "data:b"),
                request.images().stream().map(i -> i.url()).toList());
        assertEquals(
                List.of(Detail.LOW, Detail.AUTO),
                request.images().stream().map(i -> i.detail()).toList());
        assertEquals(
                "messages[1].content[0].image_url.url", request.images().get(0).param());
    }

    /** The older form, whose results know their call by the function's name. */
    @Test
    void aFunctionCallIsAToolCall() {
        String call = "{\"name\":\"f\",\"arguments\":\"{}\"}";
        ValidRequest request = validate(
                "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"function_call\":" + call
                        + "},{\"role\":\"function\",\"name\":\"f\",\"content\":\"42\"}]}",
                TEXT);
        assertEquals(
                "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"f\","
                        + "\"type\":\"function\",\"function\":" + call + "}]},"
                        + "{\"role\":\"tool\",\"content\":\"42\",\"tool_call_id\":\"f\",\"name\":\"f\"}]}",
                Prompts.chat(request.generate("id", 0, List.of())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "null", "{", "{\\\"city\\\": \\\"Par", "{\\\"a\\\": [1,"})
    void aCallWithoutArgumentsOrWithHalfOfThemHasNone(String arguments) {
        assertTrue(Prompts.chat(validate(withArguments(arguments), VISION).generate("id", 0, List.of()))
                .contains("\"arguments\":\"{}\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "5", "{} {}", "{'a':1}", "null 1", "{} x"})
    void argumentsThatAreNoObjectAreNamed(String arguments) {
        ApiException refused = assertThrows(ApiException.class, () -> validate(withArguments(arguments), VISION));
        assertEquals(
                "messages[1].tool_calls[0].function.arguments", refused.error().param());
    }

    /** Clients that add up a stream in which no text came keep its null. */
    @Test
    void anAssistantThatSaidNothingSaidNothing() {
        for (String turn : List.of("{\"role\":\"assistant\"}", "{\"role\":\"assistant\",\"content\":null}")) {
            String chat = Prompts.chat(validate(
                            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}," + turn
                                    + ",{\"role\":\"user\",\"content\":\"b\"}]}",
                            VISION)
                    .generate("id", 0, List.of()));
            assertTrue(chat.contains("{\"role\":\"assistant\",\"content\":\"\"}"), chat);
        }
    }

    private static String withArguments(String arguments) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\",\"tool_calls\":"
                + "[{\"id\":\"1\",\"function\":{\"name\":\"f\",\"arguments\":\"" + arguments + "\"}}]},"
                + "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"done\"}]}";
    }

    /** The models of this test hold 2048 tokens of 64 bytes at most. */
    @Test
    void textThatNoContextOfThisModelHoldsGoesNoFurther() {
        String longest = "x".repeat(2048 * 64);
        validate("{\"messages\":[{\"role\":\"user\",\"content\":\"" + longest + "\"}]}", TEXT);
        for (String one :
                List.of(longest + "x", "é".repeat(2048 * 32 + 1), "語".repeat(2048 * 22), "😀".repeat(2048 * 16 + 1))) {
            ApiException refused = assertThrows(
                    ApiException.class,
                    () -> validate("{\"messages\":[{\"role\":\"user\",\"content\":\"" + one + "\"}]}", TEXT));
            assertEquals("context_length_exceeded", refused.error().code());
            assertTrue(refused.getMessage().contains("2048 tokens"), refused.getMessage());
        }
        String tools = ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"" + longest
                + "\"}}]";
        assertEquals("context_length_exceeded", refusal(tools).error().code());
    }

    @Test
    void moreMessagesThanTokensGoNoFurther() {
        String message = "{\"role\":\"user\",\"content\":\"\"}";
        validate("{\"messages\":[" + (message + ",").repeat(2047) + message + "]}", TEXT);
        ApiException refused = assertThrows(
                ApiException.class,
                () -> validate("{\"messages\":[" + (message + ",").repeat(2048) + message + "]}", TEXT));
        assertEquals("context_length_exceeded", refused.error().code());
        assertEquals("messages[2048]", refused.error().param());
    }

    @Test
    void schemasAreLookedAtBeforeTheyGoOn() {
        ApiException pattern =
                refusal(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":"
                        + "{\"properties\":{\"mail\":{\"pattern\":\"(?=x)\"}}}}}");
        assertEquals("invalid_request", pattern.error().code());
        assertEquals(
                "response_format.json_schema.schema.properties.mail.pattern",
                pattern.error().param());
        ApiException complex = refusal(
                ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":true,\"parameters\":"
                        + "{\"properties\":{\"list\":{\"type\":\"array\",\"maxItems\":1000000}}}}}]");
        assertEquals(400, complex.error().status());
        assertEquals("schema_too_complex", complex.error().code());
        assertEquals(
                "tools[0].function.parameters.properties.list.maxItems",
                complex.error().param());
    }

    private static final String TOOLS =
            """
            ,"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b","strict":true}}]""";

    private static final String A =
            """
            {"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{}}}}""";
    private static final String B =
            """
            {"type":"function","function":{"name":"b","parameters":{"type":"object","properties":{}},"strict":true}}""";

    /** @return what the template takes besides the messages */
    private static String besidesMessages(String fields) {
        String chat = Prompts.chat(frame(fields));
        String messages = "{" + USER;
        assertTrue(chat.startsWith(messages), chat);
        return chat.substring(messages.length(), chat.length() - 1);
    }

    @Test
    void toolsReachTheWorkerWithASchemaAndAChoice() {
        String both = ",\"tools\":[" + A + "," + B + "]";
        assertEquals(both + ",\"tool_choice\":\"auto\",\"parallel_tool_calls\":true", besidesMessages(TOOLS));
        assertEquals(
                both + ",\"tool_choice\":\"none\",\"parallel_tool_calls\":false",
                besidesMessages(TOOLS + ",\"tool_choice\":\"none\",\"parallel_tool_calls\":false"));
        assertEquals("", besidesMessages(",\"tool_choice\":\"none\",\"parallel_tool_calls\":false,\"tools\":[]"));
    }

    @Test
    void aNamedFunctionIsTheOnlyToolAndCalledOnce() {
        assertEquals(
                ",\"tools\":[" + B + "],\"tool_choice\":\"required\",\"parallel_tool_calls\":false",
                besidesMessages(TOOLS + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"b\"}}"));
    }

    @Test
    void ofAllToolsSomeAreAllowed() {
        String some =
                TOOLS + ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"%s\",\"tools\":"
                        + "[{\"type\":\"function\",\"function\":{\"name\":\"%s\"}}]}}";
        for (String mode : List.of("auto", "required")) {
            assertEquals(
                    ",\"tools\":[" + B + "],\"tool_choice\":\"" + mode + "\",\"parallel_tool_calls\":true",
                    besidesMessages(some.formatted(mode, "b")));
        }
        assertEquals(
                "tool_choice.allowed_tools.tools[0].function.name",
                refusal(some.formatted("auto", "c")).error().param());
        String message =
                refusal(some.formatted("auto", "c".repeat(10_000))).error().message();
        assertTrue(message.length() < 200, "the name is not repeated");
        assertEquals(
                "tool_choice.allowed_tools.mode",
                refusal(some.formatted("none", "b")).error().param());
    }

    @Test
    void aBoundThatNobodyReachesIsLeftOutOfToolsThatAreNotStrict() {
        String chat = Prompts.chat(
                frame(
                        ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":"
                                + "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":2147483647},"
                                + "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":5000,\"minItems\":1}}}}}]"));
        assertTrue(
                chat.contains("\"properties\":{\"a\":{\"type\":\"string\"},"
                        + "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1}}"),
                chat);
    }

    /** As clients make them of a server's and a tool's name. */
    @Test
    void manyToolsOfLongNamesAreTaken() {
        StringBuilder tools = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            tools.append(i == 0 ? "" : ",")
                    .append("{\"type\":\"function\",\"function\":{\"name\":\"")
                    .append("n".repeat(124))
                    .append(1000 + i)
                    .append("\"}}");
        }
        assertTrue(besidesMessages(",\"tools\":[" + tools + "]").contains("n1199"));
        assertEquals(
                "tools[0].function.name",
                refusal(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"" + "n".repeat(129) + "\"}}]")
                        .error()
                        .param());
    }

    @Test
    void responseFormatsBecomeSchemas() {
        assertEquals("", besidesMessages(",\"response_format\":{\"type\":\"text\"}"));
        assertEquals(
                ",\"json_schema\":{\"type\":\"object\"}",
                besidesMessages(",\"response_format\":{\"type\":\"json_object\"}"));
        assertEquals(
                ",\"json_schema\":{\"type\":\"string\"}",
                besidesMessages(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
                        + "{\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"string\"}}}"));
    }

    @Test
    void thePatternsOfAllSchemasReachTheWorkerWithTheirMeaning() {
        String chat = Prompts.chat(
                frame(
                        """
                ,"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"a":{"pattern":"^a$"}}}}}],
                "response_format":{"type":"json_schema","json_schema":{"schema":{"type":"string","pattern":"^b$"}}}"""));
        assertTrue(chat.endsWith(",\"patterns\":{\"^a$\":\"([a])\",\"^b$\":\"([b])\"}}"), chat);
    }

    @Test
    void aTextModelTakesNoImages() {
        ApiException refused = assertThrows(
                ApiException.class,
                () -> validate(
                        "{\"messages\":[{\"role\":\"user\","
                                + "\"content\":[{\"type\":\"image_url\",\"image_url\":\"data:a\"}]}]}",
                        TEXT));
        assertEquals("unsupported_modality", refused.error().code());
    }

    @ParameterizedTest
    @ValueSource(strings = {"input_audio", "video_url", "file"})
    void otherModalities(String type) {
        ApiException refused = assertThrows(
                ApiException.class,
                () -> validate(
                        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"" + type + "\"}]}]}", VISION));
        assertEquals("unsupported_modality", refused.error().code());
    }

    @Test
    void halfOfASurrogatePairBecomesTheReplacementCharacter() {
        ValidRequest request = validate(
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\ud83d b \\ud83d\\ude00 \\ude00\"}]}", VISION);
        assertEquals(
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\ufffd b \ud83d\ude00 \ufffd\"}]}",
                Prompts.chat(request.generate("id", 0, List.of())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "\"x\"",
                "5",
                "{",
                "{\"messages\":[}",
                "{\"messages\":[]} {}",
                "{messages:1}",
                "{\"n\":1,\"n\":2}",
                "{\"temperature\":NaN}",
                "{\"temperature\":Infinity}",
                "{'n':1}",
                "{\"n\":01}"
            })
    void brokenJson(String body) {
        ApiException refused = assertThrows(ApiException.class, () -> validate(body, VISION));
        assertEquals(400, refused.error().status());
        assertEquals("invalid_request", refused.error().code());
        assertFalse(refused.getMessage().contains("jackson"), refused.getMessage());
        assertFalse(refused.getMessage().contains("java."), refused.getMessage());
    }

    @Test
    void invalidUtf8() {
        byte[] body = "{\"messages\":[{\"role\":\"user\",\"content\":\"X\"}]}".getBytes(StandardCharsets.ISO_8859_1);
        for (int i = 0; i < body.length; i++) {
            if (body[i] == 'X') {
                body[i] = (byte) 0xff;
            }
        }
        ApiException refused = assertThrows(ApiException.class, () -> read(body, 1000));
        assertTrue(refused.getMessage().contains("UTF-8"));
    }

    @Test
    void deepJson() {
        for (String deep : List.of(
                "{\"unknown\":" + "[".repeat(100_000),
                "{\"tools\":" + "[".repeat(5_000),
                "{\"response_format\":" + "{\"a\":".repeat(5_000))) {
            ApiException refused = assertThrows(ApiException.class, () -> validate(deep, VISION));
            assertEquals(400, refused.error().status());
        }
    }

    @Test
    void moreValuesThanAnyRequestNeeds() {
        String many = "{\"response_format\":[" + "[],".repeat(600_000) + "1]}";
        assertEquals(
                400,
                assertThrows(ApiException.class, () -> validate(many, VISION))
                        .error()
                        .status());
    }

    @Test
    void aBodyLongerThanAllowedIsNotReadToItsEnd() {
        byte[] body = ("{" + USER + "}" + " ".repeat(1_000_000)).getBytes(StandardCharsets.UTF_8);
        ByteArrayInputStream in = new ByteArrayInputStream(body);
        ApiException refused = assertThrows(ApiException.class, () -> JsonBody.read(in, 100_000, ChatRequest.class));
        assertEquals(413, refused.error().status());
        assertTrue(in.available() > 800_000);
    }

    private static ServerFrame.Generate frame(String fields) {
        return valid(fields).generate("id", 0, List.of());
    }

    private static ValidRequest valid(String fields) {
        return validate("{" + USER + fields + "}", VISION);
    }

    private static ApiException refusal(String fields) {
        return assertThrows(ApiException.class, () -> valid(fields), fields);
    }

    private static ValidRequest validate(String body, ModelInfo model) {
        return ChatValidation.of(read(body.getBytes(StandardCharsets.UTF_8), 10_000_000), model);
    }

    private static ChatRequest read(byte[] body, long maxBytes) {
        try {
            return JsonBody.read(new ByteArrayInputStream(body), maxBytes, ChatRequest.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
