package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Requests of many sizes, some about pictures, each made of its number alone: lengths of questions and answers are
 * drawn evenly from a quarter to seven quarters of their mean. Thread-safe.
 *
 * @param words of a question on average, 4 or more
 * @param tokens of an answer on average, 4 or more
 * @param side of a picture in pixels
 * @param questions in a row about the same picture
 * @param percent of the pictures' places that have one, 0 to 100
 * @param endTokens ids of all tokens that end an answer of the model
 */
record MixedRequests(int words, int tokens, int side, int questions, int percent, Set<Integer> endTokens) {

    /**
     * A request.
     *
     * @param picture number of the picture that it is about; -1 without one
     * @param tokens that its answer has
     */
    record Ask(ObjectNode body, int picture, int tokens) {}

    /** @param number another one is another question, so that no cache has more of it than its picture */
    Ask ask(int number) {
        int place = number / questions;
        // Unlike those of Random, first numbers of successive seeds have nothing in common.
        boolean pictured = new SplittableRandom(-1L - place).nextInt(100) < percent;
        SplittableRandom random = new SplittableRandom(number);
        int length = drawn(random, tokens);
        ServeRequests requests =
                new ServeRequests(new ServeRequests.Sizes(drawn(random, words), 0, side, length, 0, 0), endTokens);
        return pictured
                ? new Ask(requests.aboutPicture(place, number), place, length)
                : new Ask(requests.text(number), -1, length);
    }

    private static int drawn(SplittableRandom random, int mean) {
        return mean / 4 + random.nextInt(2 * mean - mean / 2 + 1);
    }
}
