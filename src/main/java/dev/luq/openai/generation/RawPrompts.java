package dev.luq.openai.generation;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.http.errors.ApiException.ContextLengthExceeded;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.UnsupportedModality;
import dev.luq.openai.images.Detail;
import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * Prompts without a template as requests write them: a string, tokens, strings and tokens in turn, or an object of
 * llama-server's, {@code {"prompt_string", "multimodal_data"}}, with images at {@value ServerFrame.ApplyTemplate#MEDIA_MARK}.
 */
public final class RawPrompts {

    private static final String TEXT = "prompt_string";
    private static final String IMAGES = "multimodal_data";
    private static final String DATA_URL = "data:";

    private RawPrompts() {}

    /** One prompt, or an array of at most as many as an answer has choices. */
    public static List<Prompt.Raw> several(
            String field, JsonNode value, PromptInput.Constraint constraint, ModelInfo model) {
        return several(field, value, ValidRequest.MOST_CHOICES, constraint, model);
    }

    /**
     * One prompt, or an array of several.
     *
     * @param most how many there may be
     * @param constraint what the answer to each of them has to follow; null for nothing
     * @param model that they are for
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    public static List<Prompt.Raw> several(
            String field, JsonNode value, int most, PromptInput.Constraint constraint, ModelInfo model) {
        if (Check.isNull(value)) {
            throw new InvalidRequest(field, field + " is missing");
        }
        if (!value.isArray() || isOnePrompt(value)) {
            return List.of(one(field, value, constraint, model));
        }
        if (value.isEmpty() || value.size() > most) {
            throw new InvalidRequest(field, field + " must have 1 to " + most + " prompts");
        }
        List<Prompt.Raw> prompts = new ArrayList<>();
        for (int i = 0; i < value.size(); i++) {
            prompts.add(one(field + "[" + i + "]", value.get(i), constraint, model));
        }
        return prompts;
    }

    /** Strings alone are prompts of their own; beside tokens they are parts of one. */
    private static boolean isOnePrompt(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).anyMatch(JsonNode::isNumber);
    }

    private static Prompt.Raw one(String field, JsonNode value, PromptInput.Constraint constraint, ModelInfo model) {
        Prompt.Raw prompt = value.isObject()
                ? withImages(field, value, model)
                : new Prompt.Raw(new PromptInput.Raw(pieces(field, value), null), List.of());
        refuseTooLong(field, prompt.input(), model);
        return new Prompt.Raw(new PromptInput.Raw(prompt.input().pieces(), constraint), prompt.images());
    }

    /**
     * A string, or an array of tokens and strings.
     *
     * @throws InvalidRequest naming the field at fault
     */
    public static List<Piece> pieces(String field, JsonNode value) {
        if (Check.isNull(value)) {
            throw new InvalidRequest(field, field + " is missing");
        }
        if (value.isTextual()) {
            return List.of(new Piece.Text(Check.wellFormed(value.textValue())));
        }
        if (!value.isArray()) {
            throw new InvalidRequest(field, field + " must be a string or an array of tokens and strings");
        }
        List<Piece> pieces = new ArrayList<>();
        int from = 0;
        for (int i = 0; i <= value.size(); i++) {
            boolean text = i < value.size() && value.get(i).isTextual();
            if ((text || i == value.size()) && from < i) {
                pieces.add(new Piece.Tokens(tokens(field, value, from, i)));
            }
            if (text) {
                pieces.add(new Piece.Text(Check.wellFormed(value.get(i).textValue())));
                from = i + 1;
            }
        }
        return pieces;
    }

    /**
     * An array of tokens.
     *
     * @throws InvalidRequest naming the field at fault
     */
    public static int[] tokens(String field, JsonNode value) {
        if (value == null || !value.isArray()) {
            throw new InvalidRequest(field, field + " must be an array of tokens");
        }
        return tokens(field, value, 0, value.size());
    }

    private static int[] tokens(String field, JsonNode array, int from, int to) {
        int[] tokens = new int[to - from];
        for (int i = from; i < to; i++) {
            JsonNode token = array.get(i);
            if (!token.isIntegralNumber() || !token.canConvertToInt() || token.intValue() < 0) {
                String element = field + "[" + i + "]";
                throw new InvalidRequest(element, element + " must be the id of a token, 0 or more");
            }
            tokens[i - from] = token.intValue();
        }
        return tokens;
    }

    private static Prompt.Raw withImages(String field, JsonNode object, ModelInfo model) {
        String text = Check.wellFormed(Check.text(field + "." + TEXT, object.get(TEXT)));
        JsonNode data = object.path(IMAGES);
        if (Check.isNull(data)) {
            return new Prompt.Raw(PromptInput.Raw.of(text), List.of());
        }
        String imageField = field + "." + IMAGES;
        if (!data.isArray()) {
            throw new InvalidRequest(imageField, imageField + " must be an array of images in base64");
        }
        if (!data.isEmpty() && !model.vision()) {
            throw new UnsupportedModality(
                    imageField, "This model understands no images. Send text only, or choose a model with vision.");
        }
        List<ImageReference> images = new ArrayList<>();
        for (int i = 0; i < data.size(); i++) {
            String element = imageField + "[" + i + "]";
            String base64 = Check.text(element, data.get(i));
            String url = base64.startsWith(DATA_URL) ? base64 : DATA_URL + ";base64," + base64;
            images.add(new ImageReference(url, Detail.AUTO, element));
        }
        List<Piece> pieces = new ArrayList<>();
        String mark = ServerFrame.ApplyTemplate.MEDIA_MARK;
        int from = 0;
        int marks = 0;
        for (int at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, from)) {
            addText(pieces, text.substring(from, at));
            pieces.add(new Piece.Media());
            from = at + mark.length();
            marks++;
        }
        addText(pieces, text.substring(from));
        if (marks != images.size()) {
            throw new InvalidRequest(
                    imageField,
                    imageField + " has " + images.size() + " images, but " + field + "." + TEXT + " has " + marks
                            + " times " + mark);
        }
        return new Prompt.Raw(new PromptInput.Raw(pieces, null), images);
    }

    /**
     * Documents to be ranked by a query, which all of them share.
     *
     * @param queryField name of the query
     * @param field name of the documents
     * @param model that they are for
     * @throws ContextLengthExceeded the query does not fit the context, or a document does not beside it
     */
    public static List<Prompt.Raw> pairs(
            String queryField, String query, String field, List<String> documents, ModelInfo model) {
        String shared = Check.wellFormed(query);
        refuseTooLong(queryField, PromptInput.Raw.of(shared), model);
        List<Prompt.Raw> prompts = new ArrayList<>();
        for (int i = 0; i < documents.size(); i++) {
            PromptInput.Raw pair =
                    new PromptInput.Raw(List.of(new Piece.Pair(shared, Check.wellFormed(documents.get(i)))), null);
            refuseTooLong(field + "[" + i + "]", pair, model);
            prompts.add(new Prompt.Raw(pair, List.of()));
        }
        return prompts;
    }

    private static void addText(List<Piece> pieces, String text) {
        if (!text.isEmpty()) {
            pieces.add(new Piece.Text(text));
        }
    }

    /** Refuses what does not fit the context even if all tokens of its text are as long as the longest. */
    private static void refuseTooLong(String field, PromptInput.Raw prompt, ModelInfo model) {
        long tokens = 0;
        long characters = 0;
        for (Piece piece : prompt.pieces()) {
            if (piece instanceof Piece.Text text) {
                characters += text.text().length();
            } else if (piece instanceof Piece.Tokens ids) {
                tokens += ids.tokens().length;
            } else if (piece instanceof Piece.Pair pair) {
                characters += pair.query().length() + pair.document().length();
            }
        }
        if (tokens >= model.slotContextSize() || characters > model.mostTextBytes()) {
            throw new ContextLengthExceeded(
                    field,
                    "This model's maximum context length is " + model.slotContextSize() + " tokens, but " + field
                            + " has more. Shorten it.",
                    (int) Math.min(Integer.MAX_VALUE, tokens + characters / model.longestToken()),
                    model.slotContextSize());
        }
    }
}
