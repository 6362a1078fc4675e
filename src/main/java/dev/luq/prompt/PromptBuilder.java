package dev.luq.prompt;

import dev.luq.llama.ChatPrompt;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.GrammarOptions;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.LlamaException;
import dev.luq.llama.Model;
import dev.luq.llama.PromptChunk;
import dev.luq.llama.PromptPart;
import dev.luq.llama.Sampler;
import dev.luq.llama.SamplerOptions;
import dev.luq.llama.Schemas;
import dev.luq.llama.Vision;
import dev.luq.prompt.tools.AnswerParser;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;

/**
 * Turns a request into a tokenized prompt: chat template, grammar, tokens, preprocessed images. Takes the time that long
 * prompts and large images take, and the stack that llama.cpp's parsers take; thread-safe.
 */
public final class PromptBuilder {

    /** Tokens that penalties look at: {@link dev.luq.llama.SamplerOptions}. */
    private static final int PENALTY_WINDOW = 64;

    /**
     * A request's prompt and what its generation needs. Owns all of it but the prompt.
     *
     * @param pictures the images by index of their unit
     * @param chat the templated prompt: stops and preserved tokens
     * @param parser finds tool calls in the answer; null when there are none to find
     * @param grammarField the request's field whose grammar the answer follows, or null
     * @param opening what the answer's content begins with before anything is generated: the tag that the prompt ends
     *     with where thoughts are not told from the answer
     */
    public record Prepared(
            Prompt prompt,
            Map<Integer, PreparedImage> pictures,
            ChatPrompt chat,
            Sampler sampler,
            AnswerParser parser,
            String grammarField,
            String opening)
            implements AutoCloseable {

        /** Preprocessed pixels by index of their unit, where nobody had them given up. */
        public Map<Integer, ImageChunk> images() {
            Map<Integer, ImageChunk> images = new TreeMap<>();
            pictures.forEach((unit, picture) -> images.put(unit, picture.chunk()));
            return images;
        }

        @Override
        public void close() {
            pictures.values().forEach(PreparedImage::close);
            sampler.close();
            if (parser != null) {
                parser.close();
            }
        }
    }

    /**
     * How many tokens a prompt has.
     *
     * @param tokens of texts and images
     * @param imageTokens of these, tokens of images
     */
    public record TokenCount(int tokens, int imageTokens) {}

    /**
     * A prompt before it is tokenized.
     *
     * @param chat without its prompt where there is no conversation
     * @param inputs of the conversation; null where there is none
     * @param grammarField see {@link Prepared}
     * @param thoughts whether they are told from the answer
     * @param opening see {@link Prepared}
     */
    private record Draft(
            ChatPrompt chat,
            List<PromptPart> parts,
            TemplateInputs inputs,
            String grammarField,
            boolean thoughts,
            String opening) {}

    private final Model model;
    private final Tokenizer tokenizer;
    private final ChatTemplates templates;
    private final Vision vision;
    private final SpecialTokenGuard guard;
    private final RankedPairs pairs;
    private final boolean systemAnywhere;
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
        this.tokenizer = new Tokenizer(model.vocabulary());
        this.templates = templates;
        this.vision = vision;
        this.guard = new SpecialTokenGuard(model.vocabulary().specialTexts());
        this.pairs = new RankedPairs(model, tokenizer, guard);
        this.systemAnywhere = SystemMessages.standAnywhere(templates);
    }

    /** Of the model. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /**
     * A prompt whose images keep their pixels.
     *
     * @throws PromptException when the request cannot become a prompt
     */
    public Prepared build(PromptRequest request) {
        return build(request, image -> {});
    }

    /**
     * The same.
     *
     * @param pixels takes each image, before the next one is preprocessed, and may have its pixels given up
     * @throws PromptException when the request cannot become a prompt
     */
    public Prepared build(PromptRequest request, Consumer<PreparedImage> pixels) {
        Draft draft = draft(request);
        Map<Integer, PreparedImage> images = new TreeMap<>();
        Sampler sampler = null;
        try {
            Prompt prompt = tokenize(draft.parts(), images, pixels, request.cacheSalt(), mostTokens);
            sampler = sampler(request.sampling(), draft, prompt);
            return new Prepared(
                    prompt, images, draft.chat(), sampler, parser(draft), draft.grammarField(), draft.opening());
        } catch (RuntimeException e) {
            images.values().forEach(PreparedImage::close);
            if (sampler != null) {
                sampler.close();
            }
            throw e;
        }
    }

    /**
     * Counts the tokens of a prompt, also of one that has more than the context holds.
     *
     * @throws PromptException when the request cannot become a prompt
     */
    public TokenCount count(PromptRequest request) {
        Map<Integer, PreparedImage> images = new HashMap<>();
        try {
            Prompt prompt = tokenize(draft(request).parts(), images, PreparedImage::giveUp, null, Integer.MAX_VALUE);
            return new TokenCount(prompt.tokens(), prompt.imageTokens());
        } finally {
            images.values().forEach(PreparedImage::close);
        }
    }

    /**
     * What the chat template makes of a conversation.
     *
     * @param mediaMark stands where an image goes
     * @param most characters of it
     * @throws PromptException when the template refuses it, or makes more of it
     */
    public String render(PromptContent.Chat content, String mediaMark, int most) {
        TemplateInputs chat = inputs(content);
        String prompt = chat.marks()
                .matcher(apply(chat).prompt())
                .replaceAll(mark -> mark.group(1) == null ? "" : Matcher.quoteReplacement(mediaMark));
        if (prompt.length() > most) {
            throw new PromptException.InvalidRequest(
                    "messages", "The prompt has more than " + most + " characters. Shorten the messages.", null);
        }
        return prompt;
    }

    private Draft draft(PromptRequest request) {
        if (vision == null && !request.images().isEmpty()) {
            throw new PromptException.UnsupportedModality();
        }
        return request.content() instanceof PromptContent.Raw raw
                ? draft(raw, request.images())
                : draft((PromptContent.Chat) request.content(), request.images());
    }

    private Draft draft(PromptContent.Chat content, List<PromptRequest.ImageInput> images) {
        TemplateInputs chat = inputs(content);
        ChatPrompt templated = apply(chat);
        ChatPrompt constrained = constrained(templated, chat);
        boolean thinks = mayThink(constrained, chat);
        boolean thoughts = thinks && chat.tellsThoughts();
        String opening = thinks && !thoughts ? constrained.openThoughts() : "";
        return new Draft(
                thoughts || !opening.isEmpty() ? constrained.withThoughts() : constrained,
                parts(templated.prompt(), chat, images),
                chat,
                chat.grammarField(),
                thoughts,
                opening);
    }

    private TemplateInputs inputs(PromptContent.Chat content) {
        return TemplateInputs.of(content.json(), guard, templates.supportsTools(), systemAnywhere);
    }

    /** Whether there may be thoughts: an answer that follows a grammar from its first token on has none. */
    private static boolean mayThink(ChatPrompt prompt, TemplateInputs chat) {
        return prompt.thinking() != null
                && chat.continuation().isEmpty()
                && (prompt.grammar().isEmpty() || prompt.grammarLazy());
    }

    private AnswerParser parser(Draft draft) {
        TemplateInputs chat = draft.inputs();
        if (chat == null) {
            return null;
        }
        AnswerParser calls = chat.tools() == null ? null : chat.calling().parser(templates, draft.chat(), chat.tools());
        return draft.thoughts() ? AnswerParser.withThoughts(draft.chat(), calls) : calls;
    }

    private Draft draft(PromptContent.Raw raw, List<PromptRequest.ImageInput> images) {
        List<PromptPart> parts = new ArrayList<>();
        int media = 0;
        for (PromptContent.Piece piece : raw.pieces()) {
            if (piece instanceof PromptContent.Piece.Text text) {
                addText(parts, text.text());
            } else if (piece instanceof PromptContent.Piece.Tokens tokens) {
                parts.add(new PromptPart.Tokens(tokenizer.known(tokens.tokens(), "prompt")));
            } else if (piece instanceof PromptContent.Piece.Pair pair) {
                parts.add(new PromptPart.Tokens(pairs.tokens(pair, mostTokens)));
            } else {
                parts.add(part(images.get(media), media++));
            }
        }
        if (parts.isEmpty()) {
            parts.add(new PromptPart.Text("", true)); // with some models it has a begin token
        }
        PromptContent.Constraint constraint = raw.constraint();
        ChatPrompt bare = ChatPrompt.of("");
        if (constraint != null) {
            bare = bare.with(GrammarOptions.of(grammar(constraint)));
        }
        return new Draft(bare, parts, null, constraint == null ? null : constraint.field(), false, "");
    }

    private static String grammar(PromptContent.Constraint constraint) {
        if (constraint.schema() == null) {
            return constraint.grammar();
        }
        try {
            return Schemas.toGrammar(constraint.schema(), constraint.patterns());
        } catch (LlamaException.TooComplex e) {
            throw new PromptException.SchemaTooComplex(constraint.field(), e.getMessage(), e);
        } catch (LlamaException.InvalidGrammar e) {
            throw new PromptException.InvalidRequest(constraint.field(), e.getMessage(), e);
        }
    }

    private ChatPrompt apply(TemplateInputs chat) {
        try {
            return templates.apply(chat.json()).without(chat.breakMark()).followedBy(chat.continuation());
        } catch (LlamaException.TooComplex e) {
            throw new PromptException.SchemaTooComplex("tools", e.getMessage(), e);
        } catch (LlamaException.InvalidTemplate e) {
            throw new PromptException.InvalidRequest("messages", e.getMessage(), e);
        }
    }

    private static ChatPrompt constrained(ChatPrompt prompt, TemplateInputs chat) {
        try {
            if (chat.tools() != null) {
                return chat.calling().constrain(prompt, chat.tools(), chat.schema(), chat.patterns());
            }
            if (chat.schema() != null) {
                return prompt.with(
                        GrammarOptions.of(Schemas.toGrammar(chat.schema().toString(), chat.patterns())));
            }
            return chat.grammar() == null ? prompt : prompt.with(GrammarOptions.of(chat.grammar()));
        } catch (LlamaException.TooComplex e) {
            throw new PromptException.SchemaTooComplex(chat.grammarField(), e.getMessage(), e);
        } catch (LlamaException.InvalidGrammar e) {
            throw new PromptException.InvalidRequest(chat.grammarField(), e.getMessage(), e);
        }
    }

    private Sampler sampler(SamplerOptions sampling, Draft draft, Prompt prompt) {
        try {
            Sampler sampler = Sampler.create(model, sampling, draft.chat().grammarOptions());
            // Of OpenAI's penalties the prompt is no concern: the words of a question would be kept out of its answer.
            if (sampling.repeatPenalty() != 1) {
                List<PromptUnit> units = prompt.units();
                for (PromptUnit unit : units.subList(Math.max(0, units.size() - PENALTY_WINDOW), units.size())) {
                    if (unit instanceof PromptUnit.Text text) {
                        sampler.acceptPrompt(text.token());
                    }
                }
            }
            return sampler;
        } catch (LlamaException.TooComplex e) {
            throw new PromptException.SchemaTooComplex(draft.grammarField(), e.getMessage(), e);
        } catch (LlamaException.InvalidGrammar e) {
            throw new PromptException.InvalidRequest(draft.grammarField(), e.getMessage(), e);
        }
    }

    private static List<PromptPart> parts(String prompt, TemplateInputs chat, List<PromptRequest.ImageInput> images) {
        List<PromptPart> parts = new ArrayList<>();
        Matcher marks = chat.marks().matcher(prompt);
        BitSet seen = new BitSet();
        int from = 0;
        while (marks.find()) {
            addText(parts, prompt.substring(from, marks.start()));
            from = marks.end();
            if (marks.group("image") != null) {
                int image = Integer.parseInt(marks.group("image"));
                if (seen.get(image)) {
                    throw imageLost(chat.images().get(image));
                }
                parts.add(part(images.get(image), seen.cardinality()));
                seen.set(image);
            }
        }
        addText(parts, prompt.substring(from));
        if (seen.cardinality() < images.size()) {
            throw imageLost(chat.images().get(seen.nextClearBit(0)));
        }
        return parts;
    }

    /** It is not in the prompt, or twice. */
    private static PromptException imageLost(TemplateInputs.ImagePlace place) {
        return new PromptException.InvalidRequest(
                place.field(),
                "The model's chat template takes no image in a message of role " + place.role()
                        + " in this place. Put it into a message of role user.",
                null);
    }

    /** @param use tells several uses of one image apart */
    private static PromptPart.Image part(PromptRequest.ImageInput image, int use) {
        return new PromptPart.Image(image.width(), image.height(), image.rgb(), image.sha256() + "/" + use);
    }

    private static void addText(List<PromptPart> parts, String text) {
        Tokenizer.split(text).forEach(piece -> parts.add(new PromptPart.Text(piece, true)));
    }

    /**
     * @param images receives the images, which the caller closes
     * @param pixels see {@link #build}
     * @param salt part of the prompt's identity and of its images'
     * @param most text of so many tokens is refused before all of it is tokenized
     */
    private Prompt tokenize(
            List<PromptPart> parts,
            Map<Integer, PreparedImage> images,
            Consumer<PreparedImage> pixels,
            String salt,
            int most) {
        List<PromptUnit> units = new ArrayList<>();
        Map<String, Integer> tiles = new HashMap<>();
        chunks(parts, most, chunk -> {
            if (chunk instanceof PromptChunk.TextChunk text) {
                for (int token : text.tokens()) {
                    units.add(new PromptUnit.Text(token));
                }
            } else if (chunk instanceof ImageChunk image) {
                // Some models cut an image into several tiles, which all carry its id.
                int tile = tiles.merge(image.id(), 1, Integer::sum);
                PromptPart picture = picture(parts, image.id());
                PreparedImage prepared = new PreparedImage(image, () -> again(picture, tile));
                images.put(units.size(), prepared);
                String content = image.id().substring(0, image.id().lastIndexOf('/'));
                String id = (salt == null ? "" : salt + "/") + content + "#" + tile;
                units.add(new PromptUnit.Image(id, image.tokens(), image.positions(), image.divisible()));
                pixels.accept(prepared);
            }
        });
        if (units.isEmpty()) {
            throw new PromptException.InvalidRequest("messages", "The prompt is empty.", null);
        }
        return Prompt.of(units, salt);
    }

    private static PromptPart picture(List<PromptPart> parts, String id) {
        return parts.stream()
                .filter(part ->
                        part instanceof PromptPart.Image image && image.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    /**
     * Preprocesses an image of a prompt once more.
     *
     * @param tile which of its tiles, from 1
     */
    private ImageChunk again(PromptPart picture, int tile) {
        List<ImageChunk> tiles = chunks(picture).stream()
                .filter(ImageChunk.class::isInstance)
                .map(ImageChunk.class::cast)
                .toList();
        ImageChunk wanted = tiles.get(tile - 1);
        tiles.stream().filter(other -> other != wanted).forEach(ImageChunk::close);
        return wanted;
    }

    /**
     * Special tokens that the template wrote are read as such; those of users are split by now.
     *
     * @param each takes each chunk, and owns the image that one is, before the next part is preprocessed
     */
    private void chunks(List<PromptPart> parts, int most, Consumer<PromptChunk> each) {
        if (parts.stream().noneMatch(PromptPart.Image.class::isInstance)) {
            textChunks(parts, true, most).forEach(each);
            return;
        }
        if (parts.stream().anyMatch(PromptPart.Tokens.class::isInstance)) {
            throw new PromptException.InvalidRequest(
                    "prompt", "A prompt with images has texts beside them, not tokens. Send its text.", null);
        }
        if (mayNotFit(parts, most)) {
            textChunks(parts, false, most);
        }
        each.accept(new PromptChunk.TextChunk(model.vocabulary().begin()));
        parts.forEach(part -> chunks(part).forEach(each));
        each.accept(new PromptChunk.TextChunk(model.vocabulary().end()));
    }

    /** @param part text, or an image with the model's own tokens around it */
    private List<PromptChunk> chunks(PromptPart part) {
        if (part instanceof PromptPart.Text text) {
            return List.of(new PromptChunk.TextChunk(tokenizer.tokens(text.text(), text.parseSpecial())));
        }
        try {
            return vision.tokenize(List.of(part), false);
        } catch (LlamaException.InvalidImage e) {
            throw new PromptException.InvalidImage(e.getMessage(), e);
        }
    }

    /**
     * The tokens of the texts alone. Text that does not fit is refused once a little more than fits is tokenized.
     *
     * @param addSpecial whether the model's begin and end tokens are added where a text comes first and where one comes
     *     last, if the model wants them
     */
    private List<PromptChunk> textChunks(List<PromptPart> parts, boolean addSpecial, int most) {
        boolean mayNotFit = mayNotFit(parts, most);
        List<PromptChunk> chunks = new ArrayList<>();
        int count = 0;
        boolean special = addSpecial && parts.get(0) instanceof PromptPart.Text;
        if (special) {
            chunks.add(new PromptChunk.TextChunk(tokenizer.front()));
        }
        for (PromptPart part : parts) {
            int[] tokens = new int[0];
            if (part instanceof PromptPart.Text text) {
                tokens = tokenizer.tokens(text.text(), true);
                chunks.add(new PromptChunk.TextChunk(tokens));
            } else if (part instanceof PromptPart.Tokens given) {
                tokens = given.tokens();
                chunks.add(new PromptChunk.TextChunk(tokens));
            }
            count += tokens.length;
            if (mayNotFit && count >= most) {
                throw PromptException.atLeast(count, most);
            }
        }
        if (special && parts.get(parts.size() - 1) instanceof PromptPart.Text) {
            chunks.add(new PromptChunk.TextChunk(tokenizer.behind()));
        }
        return chunks;
    }

    /** Whether the texts are long, and long enough to have too many tokens. */
    private static boolean mayNotFit(List<PromptPart> parts, int most) {
        long characters = parts.stream()
                .mapToLong(part ->
                        part instanceof PromptPart.Text text ? text.text().length() : 0)
                .sum();
        return characters >= most && characters > Tokenizer.LONGEST_PIECE;
    }
}
