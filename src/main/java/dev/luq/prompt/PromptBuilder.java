package dev.luq.prompt;

import dev.luq.llama.ChatPrompt;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.LlamaException;
import dev.luq.llama.MessageParser;
import dev.luq.llama.Model;
import dev.luq.llama.PromptChunk;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Sampler;
import dev.luq.llama.Schemas;
import dev.luq.llama.Vision;
import dev.luq.llama.Vocabulary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns a request into a tokenized prompt: chat template, grammar, tokens, preprocessed images. Takes the time that long
 * prompts and large images take, and the stack that llama.cpp's parsers take; thread-safe.
 */
public final class PromptBuilder {

    /** Tokens that penalties look at: {@link dev.luq.llama.SamplerOptions}. */
    private static final int PENALTY_WINDOW = 64;
    /**
     * Characters that are tokenized at once. Without spaces in the text, tokenizers take more than linear time, and some a
     * stack frame for each character.
     */
    private static final int LONGEST_PIECE = 64 * 1024;

    /**
     * A request's prompt and what its generation needs. Owns all of it but the prompt.
     *
     * @param images preprocessed pixels by index of their unit
     * @param chat the templated prompt: stops and preserved tokens
     * @param parser finds tool calls in the answer; null when there are none to find
     * @param grammarField the request's field whose grammar the answer follows, or null
     */
    public record Prepared(
            Prompt prompt,
            Map<Integer, ImageChunk> images,
            ChatPrompt chat,
            Sampler sampler,
            MessageParser parser,
            String grammarField)
            implements AutoCloseable {

        @Override
        public void close() {
            images.values().forEach(ImageChunk::close);
            sampler.close();
            if (parser != null) {
                parser.close();
            }
        }
    }

    private final Model model;
    private final Vocabulary vocabulary;
    private final ChatTemplates templates;
    private final Vision vision;
    private final SpecialTokenGuard guard;
    private final int mostTokens;

    /** @param vision null for a model that only reads text */
    public PromptBuilder(Model model, ChatTemplates templates, Vision vision) {
        this(model, templates, vision, Integer.MAX_VALUE);
    }

    /**
     * @param vision null for a model that only reads text
     * @param mostTokens text of so many tokens is refused before all of it is tokenized
     */
    public PromptBuilder(Model model, ChatTemplates templates, Vision vision, int mostTokens) {
        this.mostTokens = mostTokens;
        this.model = model;
        this.vocabulary = model.vocabulary();
        this.templates = templates;
        this.vision = vision;
        this.guard = new SpecialTokenGuard(vocabulary.specialTexts());
    }

    /** @throws PromptException when the request cannot become a prompt */
    public Prepared build(PromptRequest request) {
        if (vision == null && !request.images().isEmpty()) {
            throw new PromptException.UnsupportedModality();
        }
        TemplateInputs chat = TemplateInputs.of(request.chat(), guard);
        if (chat.callsTools() && !templates.supportsTools()) {
            throw new PromptException.InvalidRequest(
                    "tools",
                    "This model's chat template knows no tools. Send no tools, or choose another model.",
                    null);
        }
        ChatPrompt templated = apply(chat);
        Map<Integer, ImageChunk> images = new HashMap<>();
        Sampler sampler = null;
        try {
            List<PromptPart> parts = parts(templated.prompt(), chat, request.images());
            Prompt prompt = tokenize(parts, images, request.cacheSalt());
            sampler = sampler(request, templated, chat, prompt);
            MessageParser parser = chat.callsTools() ? templates.parser(templated) : null;
            return new Prepared(prompt, images, templated, sampler, parser, chat.grammarField());
        } catch (RuntimeException e) {
            images.values().forEach(ImageChunk::close);
            if (sampler != null) {
                sampler.close();
            }
            throw e;
        }
    }

    private ChatPrompt apply(TemplateInputs chat) {
        try {
            if (chat.schema() != null) {
                // The template converts it again, but cannot say whether the schema or the messages are at fault.
                Schemas.toGrammar(chat.schema(), chat.patterns());
            }
            return templates.apply(chat.json()).without(chat.breakMark());
        } catch (LlamaException.TooComplex e) {
            throw new PromptException.SchemaTooComplex(chat.grammarField(), e.getMessage(), e);
        } catch (LlamaException.InvalidGrammar e) {
            throw new PromptException.InvalidRequest("response_format", e.getMessage(), e);
        } catch (LlamaException.InvalidTemplate e) {
            throw new PromptException.InvalidRequest("messages", e.getMessage(), e);
        }
    }

    private Sampler sampler(PromptRequest request, ChatPrompt templated, TemplateInputs chat, Prompt prompt) {
        try {
            Sampler sampler = Sampler.create(model, request.sampling(), templated.grammarOptions());
            List<PromptUnit> units = prompt.units();
            for (PromptUnit unit : units.subList(Math.max(0, units.size() - PENALTY_WINDOW), units.size())) {
                if (unit instanceof PromptUnit.Text text) {
                    sampler.acceptPrompt(text.token());
                }
            }
            return sampler;
        } catch (LlamaException.TooComplex e) {
            throw new PromptException.SchemaTooComplex(chat.grammarField(), e.getMessage(), e);
        } catch (LlamaException.InvalidGrammar e) {
            throw new PromptException.InvalidRequest(chat.grammarField(), e.getMessage(), e);
        }
    }

    private static List<PromptPart> parts(String prompt, TemplateInputs chat, List<PromptRequest.ImageInput> images) {
        List<PromptPart> parts = new ArrayList<>();
        Matcher marks =
                Pattern.compile(chat.mediaMark() + "|" + chat.breakMark()).matcher(prompt);
        int from = 0;
        int media = 0;
        while (marks.find()) {
            addText(parts, prompt.substring(from, marks.start()));
            from = marks.end();
            if (marks.group().equals(chat.mediaMark())) {
                if (media == images.size()) {
                    throw imagesLost();
                }
                PromptRequest.ImageInput image = images.get(media);
                // The number tells two uses of one image apart.
                parts.add(new PromptPart.Image(
                        image.width(), image.height(), image.rgb(), image.sha256() + "/" + media++));
            }
        }
        addText(parts, prompt.substring(from));
        if (media < images.size()) {
            throw imagesLost();
        }
        return parts;
    }

    private static PromptException imagesLost() {
        return new PromptException.InvalidRequest(
                "messages",
                "The model's chat template takes no image in this place. Put images into user messages.",
                null);
    }

    private static void addText(List<PromptPart> parts, String text) {
        int from = 0;
        while (from < text.length()) {
            int end = pieceEnd(text, from);
            parts.add(new PromptPart.Text(text.substring(from, end), true));
            from = end;
        }
    }

    /** Where a piece that begins here ends: with the text, else before a space, or before what may be a special token. */
    private static int pieceEnd(String text, int from) {
        int most = from + LONGEST_PIECE;
        if (most >= text.length()) {
            return text.length();
        }
        for (int end = most; end > from + LONGEST_PIECE / 2; end--) {
            if (Character.isWhitespace(text.charAt(end))) {
                return end;
            }
        }
        int mark = text.lastIndexOf('<', most);
        if (mark > from + LONGEST_PIECE / 2) {
            return mark;
        }
        return Character.isLowSurrogate(text.charAt(most)) ? most - 1 : most;
    }

    /**
     * @param images receives the images, which the caller closes
     * @param salt part of the prompt's identity and of its images'
     */
    private Prompt tokenize(List<PromptPart> parts, Map<Integer, ImageChunk> images, String salt) {
        List<PromptUnit> units = new ArrayList<>();
        Map<String, Integer> tiles = new HashMap<>();
        for (PromptChunk chunk : chunks(parts)) {
            if (chunk instanceof PromptChunk.TextChunk text) {
                for (int token : text.tokens()) {
                    units.add(new PromptUnit.Text(token));
                }
            } else if (chunk instanceof ImageChunk image) {
                // Some models cut an image into several tiles, which all carry its id.
                int tile = tiles.merge(image.id(), 1, Integer::sum);
                String pixels = image.id().substring(0, image.id().lastIndexOf('/'));
                images.put(units.size(), image);
                String id = (salt == null ? "" : salt + "/") + pixels + "#" + tile;
                units.add(new PromptUnit.Image(id, image.tokens(), image.positions(), image.divisible()));
            }
        }
        if (units.isEmpty()) {
            throw new PromptException.InvalidRequest("messages", "The prompt is empty.", null);
        }
        return Prompt.of(units, salt);
    }

    /** Special tokens that the template wrote are read as such; those of users are split by now. */
    private List<PromptChunk> chunks(List<PromptPart> parts) {
        if (vision == null) {
            return textChunks(parts, true);
        }
        if (mayNotFit(parts)) {
            textChunks(parts, false);
        }
        try {
            return vision.tokenize(parts, true);
        } catch (LlamaException.InvalidImage e) {
            throw new PromptException.InvalidImage(e.getMessage(), e);
        }
    }

    /**
     * The tokens of the texts alone. Text that does not fit is refused once a little more than fits is tokenized.
     *
     * @param addSpecial whether the model's begin token is added, where the model wants it
     */
    private List<PromptChunk> textChunks(List<PromptPart> parts, boolean addSpecial) {
        boolean mayNotFit = mayNotFit(parts);
        List<PromptChunk> chunks = new ArrayList<>();
        int tokens = 0;
        for (PromptPart part : parts) {
            if (part instanceof PromptPart.Text text) {
                PromptChunk.TextChunk chunk = new PromptChunk.TextChunk(
                        vocabulary.tokenize(text.text(), addSpecial && chunks.isEmpty(), true));
                chunks.add(chunk);
                tokens += chunk.tokens().length;
            }
            if (mayNotFit && tokens >= mostTokens) {
                throw PromptException.atLeast(tokens, mostTokens);
            }
        }
        return chunks;
    }

    /** Whether the texts are long, and long enough to have too many tokens. */
    private boolean mayNotFit(List<PromptPart> parts) {
        long characters = parts.stream()
                .mapToLong(part ->
                        part instanceof PromptPart.Text text ? text.text().length() : 0)
                .sum();
        return characters >= mostTokens && characters > LONGEST_PIECE;
    }
}
