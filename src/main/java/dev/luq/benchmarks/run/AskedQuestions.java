package dev.luq.benchmarks.run;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.benchmarks.scoring.Reference;
import dev.luq.files.Sha256;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The questions of a run, as digests. Other files of a benchmark give the same ids to other questions: a line answers a
 * question when its words, its right answer and its picture are those of the question too.
 */
final class AskedQuestions {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, Digests> questions = new HashMap<>();

    private record Digests(String words, String picture) {}

    /** @return whether no other question has the id */
    boolean add(String id, String prompt, Reference reference, byte[] picture) {
        return questions.putIfAbsent(id, new Digests(words(prompt, reference), picture(picture))) == null;
    }

    /** As it stands in a line. */
    static String picture(byte[] picture) {
        return Sha256.hex(picture);
    }

    /** Of the form in which both stand in a line: what was written and read again has the same. */
    private static String words(String prompt, Reference reference) {
        try {
            return Sha256.hex(
                    JSON.writeValueAsString(List.of(prompt, reference)).getBytes(UTF_8));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts and numbers can be written", e);
        }
    }

    int size() {
        return questions.size();
    }

    Set<String> ids() {
        return Collections.unmodifiableSet(questions.keySet());
    }

    /** Whether a line is about one of them. A line without its picture's digest is known by its words. */
    boolean has(AnswerLine line) {
        Digests question = questions.get(line.id());
        return question != null
                && question.words().equals(words(line.prompt(), line.reference()))
                && (line.picture() == null || line.picture().equals(question.picture()));
    }
}
