package dev.luq.openai.generation;

import dev.luq.openai.images.ImageReference;
import dev.luq.protocol.PromptInput.Piece;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Prompts of which equal ones are worked on once, with one result.
 *
 * @param prompts that differ, in the order of their first places
 * @param places of each of all prompts, its place among these
 */
record DistinctPrompts(List<Prompt.Raw> prompts, List<Integer> places) {

    static DistinctPrompts of(List<Prompt.Raw> all) {
        List<Prompt.Raw> distinct = new ArrayList<>();
        List<Integer> places = new ArrayList<>();
        Map<List<Object>, Integer> known = new HashMap<>();
        for (Prompt.Raw prompt : all) {
            Integer place = known.putIfAbsent(content(prompt), distinct.size());
            if (place == null) {
                place = distinct.size();
                distinct.add(prompt);
            }
            places.add(place);
        }
        return new DistinctPrompts(distinct, places);
    }

    /** What makes a prompt what it is, comparable; images are equal where they are asked for equally. */
    private static List<Object> content(Prompt.Raw prompt) {
        Iterator<ImageReference> images = prompt.images().iterator();
        List<Object> content = new ArrayList<>();
        for (Piece piece : prompt.input().pieces()) {
            if (piece instanceof Piece.Tokens tokens) {
                content.add(IntBuffer.wrap(tokens.tokens()));
            } else if (piece instanceof Piece.Text || piece instanceof Piece.Pair) {
                content.add(piece);
            } else {
                ImageReference image = images.next();
                content.add(List.of(image.url(), image.detail()));
            }
        }
        return content;
    }

    /**
     * The results of all prompts, in their order.
     *
     * @param ofDistinct of those that differ
     */
    <T> List<T> all(List<T> ofDistinct) {
        return places.stream().map(ofDistinct::get).toList();
    }
}
