package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.ChatSession;
import dev.luq.cli.CompletionClient;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * What clients of compared servers ask: chat completions that every server gets with the same bytes, since all of their
 * fields mean the same to each. They name no model, take the likeliest token, and forbid the tokens that end an answer, so
 * that every answer has as many tokens as were asked for. Thread-safe.
 */
final class ServeRequests {

    /** As low as the OpenAI API goes. */
    private static final int FORBIDDEN = -100;
    /** Pictures that are shown again and again: more than a server has slots by default. */
    static final int SEEN = 8;

    private static final int FIRST_NEW = 1000;
    private static final List<String> WORDS = List.of(
            "what", "is", "the", "red", "circle", "left", "of", "blue", "square", "and", "two", "green", "right");

    private final Sizes sizes;
    private final ObjectNode endTokens = CompletionClient.JSON.createObjectNode();

    /**
     * How large requests and answers are.
     *
     * @param words of a question
     * @param longWords of a long prompt
     * @param side of a picture in pixels
     * @param tokens of an answer
     * @param streamTokens of the answer to {@link #stream}
     * @param longTokens of the answers to {@link #longPrompt} and {@link #pictureBeside}
     */
    record Sizes(int words, int longWords, int side, int tokens, int streamTokens, int longTokens) {}

    /** @param endTokens ids of all tokens that end an answer of this model */
    ServeRequests(Sizes sizes, Set<Integer> endTokens) {
        this.sizes = sizes;
        endTokens.forEach(token -> this.endTokens.put(token.toString(), FORBIDDEN));
    }

    /** The words that questions are made of, each as often as any other in the long run. */
    static String vocabulary() {
        return " " + String.join(" ", WORDS);
    }

    /** A question; other numbers differ from its first word on, so that no cache helps. */
    ObjectNode text(int number) {
        return request(List.of(), question(number, sizes.words()), sizes.tokens());
    }

    /** A question about a picture that no other number has. */
    ObjectNode newPicture(int number) {
        return request(
                List.of(NoisePicture.png(sizes.side(), FIRST_NEW + number)),
                question(number, sizes.words()),
                sizes.tokens());
    }

    /** A question that no other number has, about one of {@link #SEEN} pictures. */
    ObjectNode seenPicture(int number) {
        return request(
                List.of(NoisePicture.png(sizes.side(), number % SEEN)),
                question(number, sizes.words()),
                sizes.tokens());
    }

    /** A question with a long answer. */
    ObjectNode stream(int number) {
        return request(List.of(), question(number, sizes.words()), sizes.streamTokens());
    }

    /** As {@link #newPicture}, with a short answer. */
    ObjectNode pictureBeside(int number) {
        return request(
                List.of(NoisePicture.png(sizes.side(), FIRST_NEW + number)),
                question(number, sizes.words()),
                sizes.longTokens());
    }

    /** A long question with a short answer. */
    ObjectNode longPrompt(int number) {
        return request(List.of(), question(number, sizes.longWords()), sizes.longTokens());
    }

    private ObjectNode request(List<byte[]> pictures, String question, int tokens) {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("stream", true).put("temperature", 0).put("max_tokens", tokens);
        request.putObject("stream_options").put("include_usage", true);
        request.set("logit_bias", endTokens);
        request.putArray("messages").add(ChatSession.message(pictures, question));
        return request;
    }

    private static String question(int number, int words) {
        Random random = new Random(number);
        StringBuilder question = new StringBuilder().append(number);
        for (int i = 1; i < words; i++) {
            question.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
        }
        return question.toString();
    }
}
