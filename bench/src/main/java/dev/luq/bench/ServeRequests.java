package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.ChatSession;
import dev.luq.cli.CompletionClient;
import dev.luq.llama.Vocabulary;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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

    /** Numbers of the pictures of one kind: more than any run shows. */
    private static final int PICTURES_OF_A_KIND = 100_000_000;

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

    /** What is asked: questions and new pictures of one kind are none of another's, so that no cache helps. */
    private enum Kind {
        TEXT,
        NEW_PICTURE,
        SEEN_PICTURE,
        STREAM,
        PICTURE_BESIDE,
        LONG_PROMPT
    }

    /** Ids of all tokens that end an answer. */
    static Set<Integer> endTokens(Vocabulary vocabulary) {
        return IntStream.range(0, vocabulary.size())
                .filter(vocabulary::isEndOfGeneration)
                .boxed()
                .collect(Collectors.toSet());
    }

    /** The words that questions are made of, each as often as any other in the long run. */
    static String vocabulary() {
        return " " + String.join(" ", WORDS);
    }

    /** A question; other numbers differ from its first word on, so that no cache helps. */
    ObjectNode text(int number) {
        return request(List.of(), question(Kind.TEXT, number, sizes.words()), sizes.tokens());
    }

    /** A question about a picture that no other number has. */
    ObjectNode newPicture(int number) {
        return aboutPicture(number, number);
    }

    /** A question that no other number has, about a picture of {@link #newPicture}. */
    ObjectNode aboutPicture(int picture, int number) {
        return request(
                List.of(picture(Kind.NEW_PICTURE, picture)),
                question(Kind.NEW_PICTURE, number, sizes.words()),
                sizes.tokens());
    }

    /** A question that no other number has, about one of {@link #SEEN} pictures. */
    ObjectNode seenPicture(int number) {
        return request(
                List.of(picture(Kind.SEEN_PICTURE, number % SEEN)),
                question(Kind.SEEN_PICTURE, number, sizes.words()),
                sizes.tokens());
    }

    /** A question with a long answer. */
    ObjectNode stream(int number) {
        return request(List.of(), question(Kind.STREAM, number, sizes.words()), sizes.streamTokens());
    }

    /** As {@link #newPicture}, with a short answer. */
    ObjectNode pictureBeside(int number) {
        return request(
                List.of(picture(Kind.PICTURE_BESIDE, number)),
                question(Kind.PICTURE_BESIDE, number, sizes.words()),
                sizes.longTokens());
    }

    /** A long question with a short answer. */
    ObjectNode longPrompt(int number) {
        return request(List.of(), question(Kind.LONG_PROMPT, number, sizes.longWords()), sizes.longTokens());
    }

    private ObjectNode request(List<byte[]> pictures, String question, int tokens) {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("stream", true).put("temperature", 0).put("max_tokens", tokens);
        request.putObject("stream_options").put("include_usage", true);
        request.set("logit_bias", endTokens);
        request.putArray("messages").add(ChatSession.message(pictures, question));
        return request;
    }

    private byte[] picture(Kind kind, int number) {
        return NoisePicture.png(sizes.side(), kind.ordinal() * PICTURES_OF_A_KIND + number);
    }

    private static String question(Kind kind, int number, int words) {
        Random random = new Random(number);
        StringBuilder question = new StringBuilder().append(number).append((char) ('a' + kind.ordinal()));
        for (int i = 1; i < words; i++) {
            question.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
        }
        return question.toString();
    }
}
