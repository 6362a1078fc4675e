package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What makes a comparison of two servers fair. */
class ServeRequestsTest {

    private static final ServeRequests.Sizes SIZES = new ServeRequests.Sizes(10, 100, 28, 32, 256, 4);
    private static final List<BiFunction<ServeRequests, Integer, ObjectNode>> ALL = List.of(
            ServeRequests::text,
            ServeRequests::newPicture,
            ServeRequests::seenPicture,
            ServeRequests::stream,
            ServeRequests::pictureBeside,
            ServeRequests::longPrompt);

    private final ServeRequests requests = new ServeRequests(SIZES, Set.of(2, 151645));

    @Test
    void theSameNumberIsTheSameBytesForEveryServer() {
        ServeRequests again = new ServeRequests(SIZES, Set.of(2, 151645));
        for (BiFunction<ServeRequests, Integer, ObjectNode> kind : ALL) {
            assertEquals(
                    kind.apply(requests, 5).toString(), kind.apply(again, 5).toString());
        }
    }

    /** Both servers know these fields and take them alike: docs/api.md, and tools/server/README.md of llama.cpp. */
    @Test
    void noFieldIsOneServersOwn() {
        for (BiFunction<ServeRequests, Integer, ObjectNode> kind : ALL) {
            Set<String> fields = new TreeSet<>();
            kind.apply(requests, 0).fieldNames().forEachRemaining(fields::add);
            assertEquals(
                    Set.of("logit_bias", "max_tokens", "messages", "stream", "stream_options", "temperature"), fields);
        }
    }

    @Test
    void answersAreTheLikeliestTokensAndEndOnlyWhenTheyHaveAll() {
        int[] tokens = {32, 32, 32, 256, 4, 4};
        for (int i = 0; i < tokens.length; i++) {
            ObjectNode request = ALL.get(i).apply(requests, 0);
            assertEquals(tokens[i], request.path("max_tokens").asInt());
            assertEquals(0, request.path("temperature").asInt(-1));
            assertEquals("{\"151645\":-100,\"2\":-100}", sorted(request.path("logit_bias")));
            assertTrue(request.path("stream").asBoolean());
            assertTrue(request.path("stream_options").path("include_usage").asBoolean());
        }
    }

    private static String sorted(JsonNode object) {
        Set<String> fields = new TreeSet<>();
        object.properties().forEach(field -> fields.add("\"" + field.getKey() + "\":" + field.getValue()));
        return "{" + String.join(",", fields) + "}";
    }

    /** Else a cache of prompts would answer in place of the model. */
    @Test
    void noQuestionIsAskedTwiceAndAllDifferFromTheFirstWordOn() {
        Set<String> firstWords = new HashSet<>();
        for (int number = 0; number < 100; number++) {
            for (JsonNode request : all(number)) {
                firstWords.add(question(request).split(" ")[0]);
            }
            assertEquals(SIZES.words(), question(requests.text(number)).split(" ").length);
        }
        assertEquals(100 * all(0).size(), firstWords.size());
        assertEquals(SIZES.longWords(), question(requests.longPrompt(3)).split(" ").length);
    }

    private List<ObjectNode> all(int number) {
        return List.of(
                requests.text(number),
                requests.newPicture(number),
                requests.seenPicture(number),
                requests.stream(number),
                requests.pictureBeside(number),
                requests.longPrompt(number));
    }

    @Test
    void newPicturesWereNeverSeenAndSeenOnesComeAgain() {
        Set<String> seen = new HashSet<>();
        for (int number = 0; number < 3 * ServeRequests.SEEN; number++) {
            seen.add(picture(requests.seenPicture(number)));
        }
        assertEquals(ServeRequests.SEEN, seen.size());
        assertNotEquals(
                question(requests.seenPicture(0)), question(requests.seenPicture(ServeRequests.SEEN)), "new questions");
        Set<String> fresh = new HashSet<>();
        for (int number = 0; number < 100; number++) {
            fresh.add(picture(requests.newPicture(number)));
            fresh.add(picture(requests.pictureBeside(number)));
        }
        assertEquals(2 * 100, fresh.size());
        assertTrue(fresh.stream().noneMatch(seen::contains));
    }

    @Test
    void everyWordOfTheVocabularyIsAsked() {
        String all = String.join(
                " ",
                IntStream.range(0, 50)
                        .mapToObj(number -> question(requests.text(number)))
                        .toList());
        for (String word : ServeRequests.vocabulary().strip().split(" ")) {
            assertTrue(all.contains(" " + word), word);
        }
    }

    private static String question(JsonNode request) {
        JsonNode content = request.path("messages").path(0).path("content");
        return content.path(content.size() - 1).path("text").asText();
    }

    private static String picture(JsonNode request) {
        return request.path("messages")
                .path(0)
                .path("content")
                .path(0)
                .path("image_url")
                .path("url")
                .asText();
    }
}
