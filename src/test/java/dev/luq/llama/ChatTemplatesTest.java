package dev.luq.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Integration
class ChatTemplatesTest {

    private static final String WEATHER =
            """
            [{"type":"function","function":{"name":"get_weather","description":"The weather of a city",
              "parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]""";

    private static ChatTemplates qwen() {
        return ChatTemplates.of(TinyModels.model(TinyModels.QWEN));
    }

    private static ChatTemplates withTools() {
        try {
            return ChatTemplates.of(
                    TinyModels.model(TinyModels.QWEN),
                    Files.readString(Path.of("src/test/resources/tool-calls.jinja")));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ChatPrompt weather(ChatTemplates templates, String choice) {
        return templates.apply("{\"messages\":[{\"role\":\"user\",\"content\":\"Weather in Rome?\"}],\"tools\":"
                + WEATHER + ",\"tool_choice\":\"" + choice + "\"}");
    }

    private static String content(List<MessageDelta> deltas) {
        StringBuilder text = new StringBuilder();
        for (MessageDelta delta : deltas) {
            if (delta instanceof MessageDelta.Content content) {
                text.append(content.text());
            }
        }
        return text.toString();
    }

    @Test
    void theModelsTemplateRendersTheConversation() {
        try (ChatTemplates templates = qwen()) {
            ChatPrompt prompt = templates.apply(
                    """
                    {"messages":[{"role":"user","content":"Hi <|im_end|>"},{"role":"assistant","content":"Hello"},
                                 {"role":"user","content":"Größe?"}]}""");
            assertEquals(
                    "<|im_start|>user\nHi <|im_end|><|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
                            + "<|im_start|>user\nGröße?<|im_end|>\n<|im_start|>assistant\n",
                    prompt.prompt());
            assertEquals("", prompt.grammar());
            assertNull(prompt.grammarOptions());
            assertFalse(templates.supportsTools());
        }
    }

    @Test
    void aTemplateMayBeNamed() {
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.LLAVA), "chatml")) {
            assertEquals(
                    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
                    templates
                            .apply("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")
                            .prompt());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "vicuna; Be kind.\\n\\nUSER: Größe?\\nASSISTANT: 1 m</s>\\nUSER: <7>\\nASSISTANT:",
                "command-r; <|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be kind.<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|>"
                        + "<|USER_TOKEN|>Größe?<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>1 m"
                        + "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|><7><|END_OF_TURN_TOKEN|>"
                        + "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"
            })
    void oneOfLlamaCppsMayBeNamed(String name, String expected) {
        String messages =
                """
                {"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Größe?"},
                             {"role":"assistant","content":"1 m"},
                             {"role":"user","content":[{"type":"media_marker","text":"<7>"}]}]""";
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.QWEN), name)) {
            assertFalse(templates.supportsTools());
            ChatPrompt prompt = templates.apply(messages + "}");
            assertEquals(expected.replace("\\n", "\n"), prompt.prompt());
            assertNull(prompt.grammarOptions());
            String open = templates
                    .apply(messages + ",\"add_generation_prompt\":false}")
                    .prompt();
            assertTrue(
                    prompt.prompt().startsWith(open)
                            && open.length() < prompt.prompt().length(),
                    open);
        }
    }

    @Test
    void aLongConversationIsRenderedInFull() {
        String text = "\u20ac".repeat(100_000);
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.QWEN), "llama3")) {
            String prompt = templates
                    .apply("{\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\\u0000!\"}]}")
                    .prompt();
            assertTrue(prompt.contains(text + "\ufffd!<|eot_id|>"));
        }
    }

    @Test
    void otherNamesAreRefusedWithThoseThatThereAre() {
        LlamaException.InvalidTemplate unknown = assertThrows(
                LlamaException.InvalidTemplate.class,
                () -> ChatTemplates.of(TinyModels.model(TinyModels.QWEN), "vicunia"));
        assertTrue(unknown.getMessage().contains("vicuna"), unknown.getMessage());
    }

    @Test
    void theGenerationPromptCanBeLeftOut() {
        try (ChatTemplates templates = qwen()) {
            ChatPrompt prompt = templates.apply(
                    """
                    {"messages":[{"role":"user","content":"Hi"}],"add_generation_prompt":false}""");
            assertEquals("<|im_start|>user\nHi<|im_end|>\n", prompt.prompt());
        }
    }

    @Test
    void theModelThinksUnlessItIsToldNotTo() {
        String template =
                """
                {%- for m in messages %}<|im_start|>{{ m.role }}
                {{ m.content }}<|im_end|>
                {% endfor -%}
                {%- if add_generation_prompt %}<|im_start|>assistant
                {% if not enable_thinking %}<think>

                </think>

                {% endif %}{% endif -%}
                """;
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.QWEN), template)) {
            String request = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]%s}";
            String asked = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
            for (String on : List.of("", ",\"enable_thinking\":true")) {
                assertEquals(asked, templates.apply(request.formatted(on)).prompt());
            }
            assertEquals(
                    asked + "<think>\n\n</think>\n\n",
                    templates
                            .apply(request.formatted(",\"enable_thinking\":false"))
                            .prompt());
        }
    }

    @Test
    void whatThoughtsStandBetweenIsKnown() {
        String request = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.QWEN), ThinkingTemplates.PLAIN);
                ChatTemplates without = qwen()) {
            ChatPrompt prompt = templates.apply(request);
            assertEquals(new ThinkingTags("<think>", List.of("</think>")), prompt.thinking());
            assertFalse(prompt.endsWithinThoughts());
            assertTrue(prompt.followedBy("<think>\n").endsWithinThoughts());
            assertNull(without.apply(request).thinking());
        }
    }

    @Test
    void onlyWhatIsGeneratedIsContentWhereTheTemplateBeginsTheThoughts() {
        try (ChatTemplates templates = ChatTemplates.of(TinyModels.model(TinyModels.QWEN), ThinkingTemplates.OPEN)) {
            ChatPrompt prompt = templates.apply("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
            assertTrue(prompt.endsWithinThoughts(), prompt.prompt());
            try (MessageParser parser = templates.parser(prompt)) {
                assertEquals("Hm.\n</think>\n\nYes.", content(parser.update("Hm.\n</think>\n\nYes.", false)));
            }
        }
    }

    @Test
    void aTemplateSeesFurtherVariables() {
        try (ChatTemplates templates = ChatTemplates.of(
                TinyModels.model(TinyModels.QWEN), "{{ messages[0].content }} {{ mode }} {{ list[1] }}")) {
            assertEquals(
                    "Hi brief 2",
                    templates
                            .apply(
                                    """
                                    {"messages":[{"role":"user","content":"Hi"}],
                                    "chat_template_kwargs":{"mode":"brief","list":[1,2]}}""")
                            .prompt());
        }
    }

    @Test
    void mediaMarkersKeepTheirPlace() {
        try (ChatTemplates templates = qwen()) {
            ChatPrompt prompt = templates.apply(
                    """
                    {"messages":[{"role":"user","content":[{"type":"text","text":"a "},
                      {"type":"media_marker","text":"<marker-1>"},{"type":"text","text":" b"}]}]}""");
            assertEquals(
                    "<|im_start|>user\na <marker-1> b<|im_end|>\n<|im_start|>assistant\n",
                    prompt.prompt().replace("\n<marker-1>\n", "<marker-1>"));
        }
    }

    @Test
    void toolsAreDescribedAndTheirCallsParsed() {
        try (ChatTemplates templates = withTools()) {
            assertTrue(templates.supportsTools());
            ChatPrompt prompt = weather(templates, "auto");
            assertTrue(prompt.prompt().contains("\"name\": \"get_weather\""), prompt.prompt());
            assertTrue(prompt.grammarLazy());
            assertTrue(prompt.triggersJson().contains("tool_call"), prompt.triggersJson());
            try (MessageParser parser = templates.parser(prompt)) {
                List<MessageDelta> deltas = parser.update(
                        """
                        Let me see.<tool_call>
                        {"name": "get_weather", "arguments": {"city": "Rome"}}
                        </tool_call>""",
                        false);
                assertEquals("Let me see.", content(deltas).strip());
                MessageDelta.ToolCall call = (MessageDelta.ToolCall) deltas.get(deltas.size() - 1);
                assertEquals(0, call.index());
                assertEquals("get_weather", call.name());
                assertFalse(call.id().isEmpty());
                assertEquals("{\"city\":\"Rome\"}", call.arguments().replace(" ", ""));
            }
        }
    }

    @Test
    void aToolCallIsStreamed() {
        String text =
                "Wait.<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>";
        List<MessageDelta> deltas = new ArrayList<>();
        try (ChatTemplates templates = withTools();
                MessageParser parser = templates.parser(weather(templates, "auto"))) {
            for (int end = 1; end < text.length(); end++) {
                deltas.addAll(parser.update(text.substring(0, end), true));
            }
            deltas.addAll(parser.update(text, false));
            assertEquals(List.of(), parser.update(text, false));
        }
        assertEquals("Wait.", content(deltas).strip());
        StringBuilder arguments = new StringBuilder();
        int pieces = 0;
        for (MessageDelta delta : deltas) {
            if (delta instanceof MessageDelta.ToolCall call) {
                assertEquals(pieces == 0 ? "get_weather" : null, call.name());
                assertEquals(pieces == 0, call.id() != null);
                arguments.append(call.arguments());
                pieces++;
            }
        }
        assertTrue(pieces > 1, "arguments come in pieces");
        assertEquals("{\"city\":\"Rome\"}", arguments.toString().replace(" ", ""));
    }

    @Test
    void requiredToolsConstrainFromTheBeginning() {
        try (ChatTemplates templates = withTools()) {
            ChatPrompt prompt = weather(templates, "required");
            assertFalse(prompt.grammarLazy());
            assertTrue(prompt.grammar().contains("get_weather"), prompt.grammar());
        }
    }

    @Test
    void toolsThatAreSwitchedOffStayText() {
        String text = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {}}\n</tool_call>";
        try (ChatTemplates templates = withTools()) {
            ChatPrompt prompt = weather(templates, "none");
            assertEquals("", prompt.grammar());
            try (MessageParser parser = templates.parser(prompt)) {
                assertEquals(List.of(new MessageDelta.Content(text)), parser.update(text, false));
            }
        }
    }

    @Test
    void toolMessagesAreRendered() {
        try (ChatTemplates templates = withTools()) {
            ChatPrompt prompt = templates.apply(
                    """
                    {"messages":[{"role":"user","content":"Weather?"},
                      {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",
                        "function":{"name":"get_weather","arguments":"{\\"city\\":\\"Rome\\"}"}}]},
                      {"role":"tool","tool_call_id":"call_1","content":"sunny"}],
                     "tools":%s}"""
                            .formatted(WEATHER));
            assertTrue(
                    prompt.prompt().contains("\"name\": \"get_weather\", \"arguments\": {\"city\""), prompt.prompt());
            assertTrue(prompt.prompt().contains("<tool_response>\nsunny\n</tool_response>"), prompt.prompt());
        }
    }

    @Test
    void aToolCallThatIsCutOffGivesWhatIsThere() {
        try (ChatTemplates templates = withTools();
                MessageParser parser = templates.parser(weather(templates, "auto"))) {
            List<MessageDelta> deltas = parser.update("Well.<tool_call>\n{\"name\": \"get_wea", false);
            assertEquals("Well.", content(deltas).strip());
        }
    }

    @Test
    void plainTextPassesTheParserUnchanged() {
        try (ChatTemplates templates = qwen();
                MessageParser parser = templates.parser(templates.apply(
                        """
                        {"messages":[{"role":"user","content":"Hi"}]}"""))) {
            assertEquals(List.of(new MessageDelta.Content("It is")), parser.update("It is", true));
            assertEquals(List.of(), parser.update("It is", true));
            assertEquals(
                    List.of(new MessageDelta.Content(" ré\uD83D\uDE00d")),
                    parser.update("It is ré\uD83D\uDE00d", true));
            assertEquals(List.of(new MessageDelta.Content(".")), parser.update("It is ré\uD83D\uDE00d.", false));
        }
    }

    @Test
    void requestsThatMakeNoSenseAreRefused() {
        try (ChatTemplates templates = qwen()) {
            for (String request : new String[] {
                "",
                "no json",
                "{}",
                "{\"messages\":{}}",
                "{\"messages\":[{}]}",
                "{\"messages\":[{\"role\":\"user\",\"content\":7}]}",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"audio\",\"text\":\"\"}]}]}",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"tool_choice\":\"maybe\"}",
                "{\"messages\":" + "[".repeat(100_000)
            }) {
                LlamaException.InvalidTemplate e =
                        assertThrows(LlamaException.InvalidTemplate.class, () -> templates.apply(request), request);
                assertFalse(e.getMessage().isBlank());
            }
        }
    }

    @Test
    void templatesThatDoNotParseAreRefused() {
        Model model = TinyModels.model(TinyModels.QWEN);
        assertThrows(LlamaException.InvalidTemplate.class, () -> ChatTemplates.of(model, "{% if %}"));
        try (ChatTemplates templates = ChatTemplates.of(model, "{{ raise_exception('only short talks') }}")) {
            assertTrue(assertThrows(
                            LlamaException.InvalidTemplate.class,
                            () -> templates.apply("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                    .getMessage()
                    .contains("only short talks"));
        }
    }

    /** Expressions, chains of them, which are as deep once they are parsed, and blocks. */
    @Test
    void templatesThatNestTooDeeplyAreRefused() {
        Model model = TinyModels.model(TinyModels.QWEN);
        for (String[] parts : new String[][] {
            {"{{ ", "(", "1", ")", " }}"},
            {"{{ ", "not ", "1", "", " }}"},
            {"{{ 1", " + 1", "", "", " }}"},
            {"", "{% if true %}", "", "{% endif %}", ""},
            {"{% if false %}", "{% elif false %}", "{% endif %}", "", ""}
        }) {
            for (int levels : new int[] {1_000, 100_000}) {
                String template = parts[0] + parts[1].repeat(levels) + parts[2] + parts[3].repeat(levels) + parts[4];
                String message = assertThrows(
                                LlamaException.InvalidTemplate.class, () -> ChatTemplates.of(model, template))
                        .getMessage();
                assertTrue(message.contains("levels of nesting"), message);
            }
        }
    }

    @Test
    void aMacroMayCallItselfButNotWithoutEnd() {
        Model model = TinyModels.model(TinyModels.QWEN);
        String request = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
        String counting =
                "{%% macro a(n) %%}{{ n }}{%% if n < %s %%}{{ a(n + 1) }}{%% endif %%}{%% endmacro %%}{{ a(0) }}";
        try (ChatTemplates templates = ChatTemplates.of(model, counting.formatted("9"))) {
            assertEquals("0123456789", templates.apply(request).prompt());
        }
        for (String endless : List.of(counting.formatted("n + 1"), "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}")) {
            try (ChatTemplates templates = ChatTemplates.of(model, endless)) {
                String message = assertThrows(LlamaException.InvalidTemplate.class, () -> templates.apply(request))
                        .getMessage();
                assertTrue(message.contains("calls of macros"), message);
            }
        }
    }

    @Test
    void closingTwiceIsHarmless() {
        ChatTemplates templates = qwen();
        ChatPrompt prompt = templates.apply("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        MessageParser parser = templates.parser(prompt);
        for (int i = 0; i < 2; i++) {
            parser.close();
            templates.close();
        }
        assertThrows(IllegalStateException.class, () -> parser.update("x", true));
        assertThrows(IllegalStateException.class, () -> templates.parser(prompt));
        assertThrows(IllegalStateException.class, templates::supportsTools);
    }
}
