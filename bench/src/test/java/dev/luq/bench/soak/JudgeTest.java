package dev.luq.bench.soak;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.bench.soak.Outcome.Sort;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the soak takes for right and what not. */
class JudgeTest {

    private static final String ANSWER =
            "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"choices\":[{\"message\":"
                    + "{\"role\":\"assistant\",\"content\":\"{}\"},\"finish_reason\":\"stop\"}],\"usage\":{\"completion_tokens\":1}}";
    private static final String CHUNK =
            "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"delta\":{},"
                    + "\"finish_reason\":%s}]}\n\n";
    private static final String ERROR =
            "{\"error\":{\"message\":\"why\",\"type\":\"t\",\"param\":null,\"code\":\"%s\"}}";

    private final Deaths deaths = new Deaths();
    private final Judge judge = new Judge(deaths);

    @Test
    void aWholeAnswerIsAnswered() {
        assertEquals(Sort.ANSWERED, json(Kind.TEXT, 200, ANSWER));
        assertEquals(Sort.ANSWERED, json(Kind.SCHEMA, 200, ANSWER));
        assertEquals(Sort.ANSWERED, stream(CHUNK.formatted("null") + CHUNK.formatted("\"stop\"") + "data: [DONE]\n\n"));
        assertEquals(Sort.ANSWERED, stream(": alive\n\n" + CHUNK.formatted("\"length\"") + "data: [DONE]\n\n"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "data: [DONE]\n\n",
                "data: {}\n\ndata: [DONE]\n\n",
                "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"choices\":[]}\n\ndata: [DONE]\n\n"
            })
    void aStreamThatIsNotWholeIsWrong(String events) {
        assertEquals(Sort.WRONG, stream(events));
    }

    @Test
    void anAnswerThatBreaksTheContractIsWrong() {
        assertEquals(Sort.WRONG, json(Kind.TEXT, 200, ANSWER.replace("assistant", "user")));
        assertEquals(Sort.WRONG, json(Kind.TEXT, 200, ANSWER.replace("stop", "whim")));
        assertEquals(Sort.WRONG, json(Kind.SCHEMA, 200, ANSWER.replace("\"{}\"", "\"{\"")));
        assertEquals(Sort.WRONG, json(Kind.TEXT, 200, "no JSON"));
        assertEquals(Sort.WRONG, json(Kind.BROKEN_JSON, 200, ANSWER), "what is wrong is refused");
    }

    @Test
    void refusalsAreThoseOfTheContract() {
        assertEquals(Sort.REFUSED, json(Kind.BAD_FIELD, 400, ERROR.formatted("invalid_request")));
        assertEquals(Sort.BUSY, json(Kind.TEXT, 429, ERROR.formatted("queue_full")));
        assertEquals(Sort.WRONG, json(Kind.TEXT, 400, ERROR.formatted("invalid_request")));
        assertEquals(Sort.WRONG, json(Kind.TEXT, 422, ERROR.formatted("input_quarantined")));
        assertEquals(Sort.WRONG, json(Kind.BAD_FIELD, 500, ERROR.formatted("internal_error")));
        assertEquals(Sort.WRONG, json(Kind.BAD_FIELD, 400, "{\"error\":{\"message\":\"why\"}}"));
        assertEquals(Sort.WRONG, json(Kind.BAD_FIELD, 400, ERROR.replace("why", "java.lang.NullPointerException")));
    }

    @Test
    void aModelMayBeAwayAfterAKillOnly() {
        assertEquals(Sort.WRONG, json(Kind.TEXT, 503, ERROR.formatted("worker_restarting")));
        assertEquals(Sort.WRONG, stream("event: error\ndata: " + ERROR.formatted("worker_restarting") + "\n\n"));
        deaths.killed(5);
        assertEquals(Sort.DEAD, json(Kind.TEXT, 503, ERROR.formatted("worker_restarting")));
        assertEquals(Sort.DEAD, stream("event: error\ndata: " + ERROR.formatted("worker_restarting") + "\n\n"));
        assertEquals(Sort.WRONG, json(Kind.TEXT, 503, ERROR.formatted("draining")));
    }

    @Test
    void noAnswerIsRightForThoseWhoLeaveOnly() {
        Reply nothing = Reply.parse(new byte[0]);
        assertEquals(Sort.LEFT, judge.of(ask(Kind.LEAVING), nothing, 0, 10).sort());
        assertEquals(Sort.REFUSED, judge.of(ask(Kind.BAD_HTTP), nothing, 0, 10).sort());
        assertEquals(Sort.WRONG, judge.of(ask(Kind.STREAM), nothing, 0, 10).sort());
    }

    private Sort json(Kind kind, int status, String body) {
        return judge.of(ask(kind), new Reply(status, Map.of("retry-after", "1"), body.getBytes(UTF_8), true), 0, 10)
                .sort();
    }

    private Sort stream(String events) {
        return judge.of(
                        ask(Kind.STREAM),
                        new Reply(200, Map.of("content-type", "text/event-stream"), events.getBytes(UTF_8), true),
                        0,
                        10)
                .sort();
    }

    private static Ask ask(Kind kind) {
        return new Ask(kind, new byte[0], new byte[0], 0);
    }
}
