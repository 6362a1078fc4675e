package dev.luq.prompt.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.llama.MessageDelta;
import dev.luq.llama.ThinkingTags;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThoughtFinderTest {

    private static final ThinkingTags TAGS = new ThinkingTags("<think>", List.of("</think>", "<|tool|>"));

    /** Thoughts and answer of a text that comes in pieces of this many characters, with a bar between them. */
    private static String parts(String text, boolean within, int size) {
        ThoughtFinder finder = new ThoughtFinder(TAGS, within);
        List<MessageDelta> thoughts = new ArrayList<>();
        StringBuilder answer = new StringBuilder();
        for (int at = 0; at < text.length(); at += size) {
            answer.append(finder.append(text.substring(at, Math.min(text.length(), at + size)), thoughts));
        }
        answer.append(finder.finish(thoughts));
        StringBuilder thought = new StringBuilder();
        thoughts.forEach(delta -> thought.append(((MessageDelta.Thought) delta).text()));
        return thought + "|" + answer;
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "false, \"<think>\nI see.\n\nSo\n</think>\n\nYes.\n\", \"I see.\n\nSo|Yes.\n\"",
                "false, \" \n<think>a</think>b\", a|b",
                "false, No thoughts, |No thoughts",
                "false, \" <th is no tag\", \"| <th is no tag\"",
                "false, <think>cut o, cut o|",
                "false, <thin, |<thin",
                "false, <think></think>x, |x",
                "false, a <think>b</think>, |a <think>b</think>",
                "true, \"so </thin </think> x</think>\", \"so </thin|x</think>\"",
                "true, \"ends elsewhere <|tool|>x\", ends elsewhere|x",
                "true, \"not closed </th\", not closed </th|",
                "true, \"\n \", |"
            })
    void thoughtsAreWhatIsBetweenTheTags(boolean within, String text, String parts) {
        for (int size = 1; size <= text.length(); size++) {
            assertEquals(parts, parts(text, within, size), "in pieces of " + size);
        }
    }

    @Test
    void thoughtsComeAsTheyAreWritten() {
        ThoughtFinder finder = new ThoughtFinder(TAGS, true);
        List<MessageDelta> thoughts = new ArrayList<>();
        assertEquals("", finder.append("One", thoughts));
        assertEquals(List.of(new MessageDelta.Thought("One")), thoughts);
        assertEquals("", finder.append(" two <", thoughts));
        assertEquals(new MessageDelta.Thought(" two"), thoughts.get(1));
        assertEquals("", finder.append("3", thoughts));
        assertEquals(new MessageDelta.Thought(" <3"), thoughts.get(2));
    }
}
