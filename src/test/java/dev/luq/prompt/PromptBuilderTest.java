package dev.luq.prompt;

import static dev.luq.engine.TinyEngine.LLAVA;
import static dev.luq.engine.TinyEngine.QWEN;
import static dev.luq.engine.TinyEngine.noise;
import static dev.luq.engine.TinyEngine.user;
import static dev.luq.engine.TinyEngine.userWithImages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.engine.TinyEngine;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Model;
import dev.luq.llama.Vision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class PromptBuilderTest {

    private static PromptBuilder.Prepared build(String name, boolean vision, TinyEngine.Ask ask) {
        Model model = TinyEngine.model(name);
        try (ChatTemplates templates = ChatTemplates.of(model);
                Vision encoder = vision ? TinyEngine.vision(name) : null) {
            return new PromptBuilder(model, templates, encoder)
                    .build(ask.as("id").prompt());
        }
    }

    private static TinyEngine.Ask ask(String name, String messages) {
        return new TinyEngine.Ask(TinyEngine.model(name), messages);
    }

    private static List<Integer> tokens(Prompt prompt) {
        List<Integer> tokens = new ArrayList<>();
        for (PromptUnit unit : prompt.units()) {
            if (unit instanceof PromptUnit.Text text) {
                tokens.add(text.token());
            }
        }
        return tokens;
    }

    private static JsonNode reference(String name) throws Exception {
        return new ObjectMapper()
                .readTree(Path.of("src/test/resources/reference/" + name + ".json")
                        .toFile());
    }

    /** Template, special tokens and exactly one begin token, as Hugging Face has them. */
    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void aMessageBecomesTheReferenceTokens(String name) throws Exception {
        List<Integer> expected = new ArrayList<>();
        reference(name).at("/text/tokens").forEach(token -> expected.add(token.asInt()));
        for (boolean vision : new boolean[] {false, true}) {
            try (PromptBuilder.Prepared prepared = build(name, vision, ask(name, user("What colour is the square?")))) {
                assertEquals(expected, tokens(prepared.prompt()));
                assertEquals(expected.size(), prepared.prompt().tokens());
            }
        }
    }

    @Test
    void aMessageWithAnImageBecomesTheReferenceTokensAroundIt() throws Exception {
        List<Integer> expected = new ArrayList<>();
        reference(QWEN).at("/images/0/tokens_before").forEach(token -> expected.add(token.asInt()));
        reference(QWEN).at("/images/0/tokens_after").forEach(token -> expected.add(token.asInt()));
        try (PromptBuilder.Prepared prepared = build(
                QWEN,
                true,
                ask(QWEN, userWithImages("Describe the picture.", 1)).image(noise(1)))) {
            assertEquals(expected, tokens(prepared.prompt()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void anImageIsOneUnitInItsPlace(String name) {
        try (PromptBuilder.Prepared prepared = build(
                name,
                true,
                ask(name, userWithImages("Compare.", 2)).image(noise(1)).image(noise(2)))) {
            List<PromptUnit.Image> images = prepared.prompt().units().stream()
                    .filter(PromptUnit.Image.class::isInstance)
                    .map(PromptUnit.Image.class::cast)
                    .toList();
            assertEquals(
                    List.of("noise-1-140#1", "noise-2-140#1"),
                    images.stream().map(PromptUnit.Image::id).toList());
            assertEquals(
                    images.stream().mapToInt(PromptUnit.Image::cells).sum(),
                    prepared.prompt().imageTokens());
            for (int unit : prepared.images().keySet()) {
                assertInstanceOf(
                        PromptUnit.Image.class, prepared.prompt().units().get(unit));
            }
            assertEquals(2, prepared.images().size());
            boolean mrope = name.equals(QWEN);
            assertTrue(images.stream().allMatch(i -> mrope ? i.positions() < i.cells() : i.positions() == i.cells()));
        }
    }

    @Test
    void aTemplateOfLlamaCppsTakesImagesAndToolsToo() throws Exception {
        Model model = TinyEngine.model(LLAVA);
        String tools =
                """
                ,"tools":[{"type":"function","function":{"name":"paint","parameters":{"type":"object"}}}]}""";
        TinyEngine.Ask ask = ask(LLAVA, userWithImages("Describe.", 1)).image(noise(1));
        PromptRequest request = ask.as("id").prompt();
        String chat = ((PromptContent.Chat) request.content()).json();
        try (ChatTemplates templates = ChatTemplates.of(model, "vicuna");
                Vision encoder = TinyEngine.vision(LLAVA);
                PromptBuilder.Prepared prepared = new PromptBuilder(model, templates, encoder)
                        .build(PromptRequest.of(chat.substring(0, chat.lastIndexOf('}')) + tools, request.images()))) {
            assertEquals(1, prepared.images().size());
            int begin = reference(LLAVA).at("/text/tokens/0").asInt();
            assertEquals(List.of(0), positions(tokens(prepared.prompt()), begin));
            assertTrue(prepared.chat().prompt().contains("paint"), "described in the system message");
        }
    }

    private static final String MESSAGES =
            """
            {%- for m in messages -%}
            REFUSAL<|im_start|>{{ m.role }}
            {{ m.content }}<|im_end|>
            {% endfor -%}
            {%- if add_generation_prompt %}<|im_start|>assistant
            {% endif -%}
            """;

    /** As Qwen3.5's refuses the second one; others leave it out. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{%- if m.role == 'system' and not loop.first %}{{ raise_exception('at the beginning') }}{% endif -%}\n",
                "{%- if m.role == 'system' and not loop.first %}{% continue %}{% endif -%}\n"
            })
    void severalSystemMessagesAreOneWhereTheTemplateTakesNoMore(String refusal) {
        String messages =
                """
                [{"role":"system","content":"One."},{"role":"user","content":"Hi"},
                {"role":"system","content":[{"type":"text","text":"Two<|im_end|>."}]},{"role":"user","content":"Go"}]""";
        assertEquals(
                "<|im_start|>system\nOne.\n\nTwo<|im_end|>.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                        + "<|im_start|>user\nGo<|im_end|>\n<|im_start|>assistant\n",
                rendered(MESSAGES.replace("REFUSAL", refusal), messages));
        assertTrue(
                rendered(MESSAGES.replace("REFUSAL", ""), messages).contains("Hi<|im_end|>\n<|im_start|>system\nTwo"),
                "where the template takes them they stay in their places");
    }

    private static String rendered(String template, String messages) {
        Model model = TinyEngine.model(QWEN);
        try (ChatTemplates templates = ChatTemplates.of(model, template)) {
            return new PromptBuilder(model, templates, null)
                    .render(new PromptContent.Chat("{\"messages\":" + messages + "}"), "<media>", 1000);
        }
    }

    private static List<Integer> positions(List<Integer> tokens, int token) {
        return IntStream.range(0, tokens.size())
                .filter(i -> tokens.get(i) == token)
                .boxed()
                .toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void specialTokensOfUsersStayText(String name) {
        for (String special : TinyEngine.model(name).vocabulary().specialTexts()) {
            int id = TinyEngine.model(name).vocabulary().tokenize(special, false, true)[0];
            long template;
            try (PromptBuilder.Prepared prepared = build(name, true, ask(name, user("x")))) {
                template = tokens(prepared.prompt()).stream()
                        .filter(token -> token == id)
                        .count();
            }
            String parts = "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x" + special.substring(0, 2)
                    + "\"},{\"type\":\"text\",\"text\":\"" + special.substring(2) + special + "\"}]}]";
            for (String messages : List.of(user("x" + special + special), parts)) {
                try (PromptBuilder.Prepared prepared = build(name, true, ask(name, messages))) {
                    assertEquals(
                            template,
                            tokens(prepared.prompt()).stream()
                                    .filter(token -> token == id)
                                    .count(),
                            special);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void mediaMarkersOfUsersStayText(String name) {
        try (PromptBuilder.Prepared prepared = build(
                name,
                true,
                ask(name, userWithImages("<__media__> <image> <|image_pad|>", 1))
                        .image(noise(1)))) {
            assertEquals(1, prepared.images().size());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LLAVA, QWEN})
    void imagesWithoutVisionAreRefused(String name) {
        assertThrows(
                PromptException.UnsupportedModality.class,
                () -> build(name, false, ask(name, userWithImages("x", 1)).image(noise(1))));
    }
}
