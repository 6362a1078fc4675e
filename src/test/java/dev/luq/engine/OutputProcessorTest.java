package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.Integration;
import dev.luq.engine.GenerationEvent.ToolCall;
import dev.luq.llama.ChatPrompt;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.ThinkingTags;
import dev.luq.llama.Vocabulary;
import dev.luq.prompt.tools.AnswerParser;
import dev.luq.prompt.tools.ToolCalling;
import dev.luq.prompt.tools.ToolSet;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A real vocabulary and parser; the test plays the model and chooses the tokens. */
@Integration
class OutputProcessorTest {

    private final Vocabulary vocabulary = TinyEngine.model(TinyEngine.QWEN).vocabulary();
    private final List<String> contents = new ArrayList<>();
    private final List<String> thoughts = new ArrayList<>();
    private final List<ToolCall> calls = new ArrayList<>();
    private final List<List<GenerationEvent.TokenLogprob>> logprobs = new ArrayList<>();
    private boolean stopped;

    private OutputProcessor answer(AnswerParser parser, int topLogprobs, String... stops) {
        return new OutputProcessor(
                vocabulary, List.of(stops), List.of(), parser, topLogprobs, new OutputProcessor.Sink() {
                    @Override
                    public void content(String content, List<GenerationEvent.TokenLogprob> probabilities) {
                        if (content != null) {
                            contents.add(content);
                        }
                        logprobs.add(probabilities);
                    }

                    @Override
                    public void thought(String thought, List<GenerationEvent.TokenLogprob> probabilities) {
                        thoughts.add(thought);
                        logprobs.add(probabilities);
                    }

                    @Override
                    public void toolCall(ToolCall call, List<GenerationEvent.TokenLogprob> probabilities) {
                        calls.add(call);
                        logprobs.add(probabilities);
                    }
                });
    }

    private void generate(OutputProcessor answer, String text, boolean withLogprobs) {
        TopLogprobs even = new TopLogprobs(FloatBuffer.allocate(vocabulary.size()));
        for (int token : vocabulary.tokenize(text, false, false)) {
            if (answer.append(token, withLogprobs ? even : null)) {
                stopped = true;
                return;
            }
        }
    }

    @Test
    void charactersOfSeveralTokensComeWhole() {
        OutputProcessor answer = answer(null, -1);
        assertTrue(vocabulary.tokenize("😀", false, false).length > 1);
        generate(answer, "a😀é", false);
        assertEquals(FinishReason.STOP, answer.finish(FinishReason.STOP));
        assertEquals(List.of("a", "😀", "é"), contents);
        assertNull(logprobs.get(0));
    }

    @Test
    void aStopStringAcrossTokensIsNotShown() {
        OutputProcessor answer = answer(null, 0, "END");
        generate(answer, "fine EN fine END more", true);
        assertTrue(stopped);
        assertEquals(FinishReason.STOP, answer.finish(FinishReason.STOP));
        assertEquals("fine EN fine ", String.join("", contents));
        assertEquals("fine EN fine ", shownTokens(), "nor are its tokens");
    }

    @Test
    void aStopStringThatStaysIncompleteIsShownAtTheEnd() {
        OutputProcessor answer = answer(null, 0, "END");
        generate(answer, "fine EN", true);
        assertEquals("fine ", String.join("", contents));
        answer.finish(FinishReason.LENGTH);
        assertEquals("fine EN", String.join("", contents));
        assertEquals("fine EN", shownTokens());
    }

    private String shownTokens() {
        return logprobs.stream()
                .flatMap(List::stream)
                .map(GenerationEvent.TokenLogprob::token)
                .collect(Collectors.joining());
    }

    @Test
    void everyTokenHasItsLogProbabilityAndAlternatives() {
        OutputProcessor answer = answer(null, 3);
        generate(answer, "x😀y", true);
        answer.finish(FinishReason.STOP);
        List<GenerationEvent.TokenLogprob> all =
                logprobs.stream().flatMap(List::stream).toList();
        assertEquals(vocabulary.tokenize("x😀y", false, false).length, all.size());
        assertEquals(-Math.log(vocabulary.size()), all.get(0).logprob(), 1e-6);
        assertEquals(3, all.get(0).top().size());
        assertEquals(List.of((int) 'x'), all.get(0).bytes());
    }

    @Test
    void controlTokensHaveNoText() {
        OutputProcessor answer = answer(null, -1);
        answer.append(vocabulary.tokenize("<|im_start|>", false, true)[0], null);
        answer.finish(FinishReason.STOP);
        assertEquals(List.of(), contents);
    }

    private static ChatPrompt thinking(ChatPrompt prompt) {
        return new ChatPrompt(
                "<think>\n",
                prompt.grammar(),
                prompt.grammarLazy(),
                prompt.triggersJson(),
                prompt.preservedTokens(),
                prompt.stops(),
                prompt.grammarPrefix(),
                prompt.parserState(),
                new ThinkingTags("<think>", List.of("</think>")));
    }

    @Test
    void thoughtsAndAnswerComeApart() {
        try (ChatTemplates templates = ChatTemplates.of(TinyEngine.model(TinyEngine.QWEN));
                AnswerParser parser = AnswerParser.withThoughts(
                        thinking(templates.apply("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")), null)) {
            OutputProcessor answer = answer(parser, -1);
            generate(answer, "Hm, well.\n</think>\n\nYes.", false);
            assertEquals(FinishReason.STOP, answer.finish(FinishReason.STOP));
        }
        assertEquals("Hm, well.", String.join("", thoughts));
        assertEquals("Yes.", String.join("", contents));
    }

    private FinishReason generateWithTools(String text, FinishReason reason) throws Exception {
        return generateWithTools(text, true, reason);
    }

    private FinishReason generateWithTools(String text, boolean parallel, FinishReason reason) throws Exception {
        return generateWithTools(false, text, parallel, reason);
    }

    private FinishReason generateWithTools(boolean thinks, String text, boolean parallel, FinishReason reason)
            throws Exception {
        String jinja = Files.readString(Path.of("src/test/resources/tool-calls.jinja"));
        try (ChatTemplates templates = ChatTemplates.of(TinyEngine.model(TinyEngine.QWEN), jinja)) {
            String chat =
                    """
                    {"messages":[{"role":"user","content":"Paint!"}],"tools":[{"type":"function","function":
                    {"name":"paint","parameters":{"type":"object","properties":{"colour":{"type":"string"}}}}}],
                    "parallel_tool_calls":%s}"""
                            .formatted(parallel);
            ChatPrompt prompt = templates.apply(chat);
            ToolSet tools = ToolSet.of(new ObjectMapper().readTree(chat));
            AnswerParser finder = ToolCalling.OF_TEMPLATE.parser(templates, prompt, tools);
            try (AnswerParser parser = thinks ? AnswerParser.withThoughts(thinking(prompt), finder) : finder) {
                OutputProcessor answer = answer(parser, -1);
                generate(answer, text, false);
                return answer.finish(reason);
            }
        }
    }

    @Test
    void aCallMayFollowThoughtsAndThoughtsOfACallAreNone() throws Exception {
        assertEquals(
                FinishReason.TOOL_CALLS,
                generateWithTools(true, "Like " + CALL + "?</think>" + CALL, true, FinishReason.STOP));
        assertEquals("Like " + CALL + "?", String.join("", thoughts));
        assertEquals("", String.join("", contents).strip());
        assertEquals(1, calls.stream().filter(call -> call.name() != null).count());
    }

    private static final String CALL =
            """
            <tool_call>
            {"name": "paint", "arguments": {"colour": "red"}}
            </tool_call>""";

    @Test
    void aToolCallComesInPiecesAndEndsTheAnswer() throws Exception {
        assertEquals(FinishReason.TOOL_CALLS, generateWithTools("Gladly." + CALL, FinishReason.STOP));
        assertEquals("Gladly.", String.join("", contents).strip());
        assertEquals("paint", calls.get(0).name());
        assertNotNull(calls.get(0).id());
        assertTrue(calls.stream().skip(1).allMatch(call -> call.id() == null && call.name() == null));
        String arguments = calls.stream().map(ToolCall::argumentsDelta).collect(Collectors.joining());
        assertEquals("red", new ObjectMapper().readTree(arguments).get("colour").asText());
    }

    @Test
    void callsInTheTemplatesFormAndInOthersAreCountedTogether() throws Exception {
        String json = "```json\n{\"name\": \"paint\", \"arguments\": {\"colour\": \"blue\"}}\n```";
        assertEquals(FinishReason.TOOL_CALLS, generateWithTools(json + "\n" + CALL, FinishReason.STOP));
        assertEquals(List.of(), contents, "nothing but calls");
        assertEquals("{\"colour\":\"blue\"}", arguments(0));
        assertEquals("{\"colour\":\"red\"}", arguments(1));
    }

    @Test
    void theOnlyCallThatMayComeEndsTheAnswer() throws Exception {
        String json = "{\"name\": \"paint\", \"arguments\": {\"colour\": \"blue\"}}\n";
        assertEquals(FinishReason.TOOL_CALLS, generateWithTools(json + json, false, FinishReason.STOP));
        assertTrue(stopped);
        assertEquals("{\"colour\":\"blue\"}", arguments(0));
    }

    @Test
    void theOnlyCallInTheTemplatesFormIsWhole() throws Exception {
        assertEquals(FinishReason.TOOL_CALLS, generateWithTools(CALL, false, FinishReason.STOP));
        assertEquals("{\"colour\":\"red\"}", arguments(0));
    }

    private String arguments(int index) {
        return calls.stream()
                .filter(call -> call.index() == index)
                .map(ToolCall::argumentsDelta)
                .collect(Collectors.joining())
                .replace(" ", "");
    }

    @Test
    void aToolCallThatIsCutOffEndsWithLength() throws Exception {
        String half = CALL.substring(0, CALL.indexOf("red") + 2);
        assertEquals(FinishReason.LENGTH, generateWithTools(half, FinishReason.LENGTH));
        assertFalse(calls.isEmpty());
    }

    @Test
    void withToolsAtHandAPlainAnswerIsContent() throws Exception {
        assertEquals(FinishReason.STOP, generateWithTools("No, thanks.", FinishReason.STOP));
        assertEquals("No, thanks.", String.join("", contents));
        assertTrue(calls.isEmpty());
    }
}
