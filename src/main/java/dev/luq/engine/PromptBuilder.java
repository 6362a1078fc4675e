package dev.luq.engine;

import dev.luq.llama.ChatPrompt;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.LlamaException;
import dev.luq.llama.PromptChunk;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Vision;
import dev.luq.llama.Vocabulary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns a request into a tokenized prompt: chat template, tokens, preprocessed images. Takes the time that long prompts
 * and large images take, so it has a thread of its own; thread-safe.
 */
final class PromptBuilder {

    /**
     * A request's prompt and what goes with it. Owns its images.
     *
     * @param images preprocessed pixels by index of their unit
     * @param chat the templated prompt: grammar, stops and how to parse the answer
     * @param callsTools whether the answer is to be searched for tool calls
     */
    record Prepared(Prompt prompt, Map<Integer, PromptChunk.ImageChunk> images, ChatPrompt chat, boolean callsTools)
            implements AutoCloseable {

        @Override
        public void close() {
            images.values().forEach(PromptChunk.ImageChunk::close);
            images.clear();
        }
    }

    private final Vocabulary vocabulary;
    private final ChatTemplates templates;
    private final Vision vision;
    private final SpecialTextGuard guard;

    /** @param vision null for a model that only reads text */
    PromptBuilder(Vocabulary vocabulary, ChatTemplates templates, Vision vision) {
        this.vocabulary = vocabulary;
        this.templates = templates;
        this.vision = vision;
        this.guard = new SpecialTextGuard(vocabulary.specialTexts());
    }

    /** @throws EngineException when the request cannot become a prompt */
    Prepared build(GenerationRequest request) {
        if (vision == null && !request.images().isEmpty()) {
            throw new EngineException.UnsupportedModality();
        }
        ChatRequest chat = ChatRequest.of(request, guard);
        ChatPrompt templated = apply(chat);
        return tokenize(parts(templated.prompt(), chat, request.images()), templated, chat.callsTools());
    }

    private ChatPrompt apply(ChatRequest chat) {
        try {
            return templates.apply(chat.json());
        } catch (LlamaException.InvalidGrammar e) {
            throw new EngineException.InvalidRequest(chat.callsTools() ? "tools" : "response_format", e.getMessage(), e);
        } catch (LlamaException.InvalidTemplate e) {
            throw new EngineException.InvalidRequest("messages", e.getMessage(), e);
        }
    }

    private static List<PromptPart> parts(String prompt, ChatRequest chat, List<GenerationRequest.ImageInput> images) {
        List<PromptPart> parts = new ArrayList<>();
        Matcher marks = Pattern.compile(chat.mediaMark() + "|" + chat.breakMark()).matcher(prompt);
        int from = 0;
        int media = 0;
        while (marks.find()) {
            addText(parts, prompt.substring(from, marks.start()));
            from = marks.end();
            if (marks.group().equals(chat.mediaMark())) {
                if (media == chat.images().size()) {
                    throw imagesLost();
                }
                GenerationRequest.ImageInput image = images.get(chat.images().get(media));
                // The number tells two uses of one image apart.
                parts.add(new PromptPart.Image(image.width(), image.height(), image.rgb(), image.sha256() + "/" + media++));
            }
        }
        addText(parts, prompt.substring(from));
        if (media < chat.images().size()) {
            throw imagesLost();
        }
        return parts;
    }

    private static EngineException imagesLost() {
        return new EngineException.InvalidRequest("messages",
                "The model's chat template takes no image in this place. Put images into user messages.", null);
    }

    private static void addText(List<PromptPart> parts, String text) {
        if (!text.isEmpty()) {
            parts.add(new PromptPart.Text(text, true));
        }
    }

    private Prepared tokenize(List<PromptPart> parts, ChatPrompt chat, boolean callsTools) {
        List<PromptUnit> units = new ArrayList<>();
        Map<Integer, PromptChunk.ImageChunk> images = new HashMap<>();
        Map<String, Integer> tiles = new HashMap<>();
        for (PromptChunk chunk : chunks(parts)) {
            if (chunk instanceof PromptChunk.TextChunk text) {
                for (int token : text.tokens()) {
                    units.add(new PromptUnit.Text(token));
                }
            } else if (chunk instanceof PromptChunk.ImageChunk image) {
                // Some models cut an image into several tiles, which all carry its id.
                int tile = tiles.merge(image.id(), 1, Integer::sum);
                String pixels = image.id().substring(0, image.id().lastIndexOf('/'));
                images.put(units.size(), image);
                units.add(new PromptUnit.Image(pixels + "#" + tile, image.tokens(), image.positions()));
            }
        }
        if (units.isEmpty()) {
            throw new EngineException.InvalidRequest("messages", "The prompt is empty.", null);
        }
        return new Prepared(Prompt.of(units), images, chat, callsTools);
    }

    /** Special tokens that the template wrote are read as such; those of users are split by now. */
    private List<PromptChunk> chunks(List<PromptPart> parts) {
        if (vision != null) {
            try {
                return vision.tokenize(parts, true);
            } catch (LlamaException.InvalidImage e) {
                throw new EngineException.InvalidImage(e.getMessage(), e);
            }
        }
        List<PromptChunk> chunks = new ArrayList<>();
        for (PromptPart part : parts) {
            String text = ((PromptPart.Text) part).text();
            chunks.add(new PromptChunk.TextChunk(vocabulary.tokenize(text, chunks.isEmpty(), true)));
        }
        return chunks;
    }
}
