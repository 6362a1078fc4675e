package dev.luq.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MixedRequestsTest {

    private static MixedRequests requests(int questions, int percent) {
        return new MixedRequests(64, 32, 28, questions, percent, Set.of(2));
    }

    private static List<MixedRequests.Ask> asked(MixedRequests requests, int count) {
        return IntStream.range(0, count).mapToObj(requests::ask).toList();
    }

    @Test
    void aNumberIsAlwaysTheSameRequestAndAnotherOneAnother() {
        assertEquals(
                requests(1, 50).ask(7).body().toString(),
                requests(1, 50).ask(7).body().toString());
        assertNotEquals(
                requests(1, 0).ask(7).body().toString(),
                requests(1, 0).ask(8).body().toString());
    }

    /** Successive numbers have nothing in common: a few of them have the mean of many. */
    @Test
    void answersHaveAQuarterToSevenQuartersOfTheMean() {
        List<MixedRequests.Ask> asked = asked(requests(1, 0), 2000);
        IntSummaryStatistics all =
                asked.stream().mapToInt(MixedRequests.Ask::tokens).summaryStatistics();
        assertEquals(8, all.getMin());
        assertEquals(56, all.getMax());
        for (int i = 0; i < 2000; i += 100) {
            assertEquals(
                    32,
                    asked.subList(i, i + 100).stream()
                            .mapToInt(MixedRequests.Ask::tokens)
                            .average()
                            .orElseThrow(),
                    6);
        }
        asked.forEach(
                ask -> assertEquals(ask.tokens(), ask.body().path("max_tokens").asInt()));
    }

    @Test
    void asManyAsWereAskedForAreAboutAPicture() {
        assertEquals(0, pictured(requests(1, 0)));
        assertEquals(300, pictured(requests(1, 30)), 60);
        assertEquals(1000, pictured(requests(1, 100)));
    }

    private static long pictured(MixedRequests requests) {
        return asked(requests, 1000).stream().filter(ask -> ask.picture() >= 0).count();
    }

    @Test
    void aPictureIsAskedAboutInARowWithAnotherQuestionEachTime() {
        List<MixedRequests.Ask> asked = asked(requests(3, 100), 6);
        assertEquals(
                List.of(0, 0, 0, 1, 1, 1),
                asked.stream().map(MixedRequests.Ask::picture).toList());
        Set<String> pictures = asked.stream().map(MixedRequestsTest::picture).collect(Collectors.toSet());
        assertEquals(2, pictures.size());
        assertEquals(
                6, asked.stream().map(ask -> ask.body().toString()).distinct().count());
    }

    private static String picture(MixedRequests.Ask ask) {
        String body = ask.body().toString();
        int start = body.indexOf("data:image/png");
        assertTrue(start > 0, body);
        return body.substring(start, body.indexOf('"', start));
    }
}
