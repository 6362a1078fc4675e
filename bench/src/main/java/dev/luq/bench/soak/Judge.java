package dev.luq.bench.soak;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.bench.soak.Outcome.Sort;
import java.util.List;
import java.util.Set;

/** Tells what is right from what is wrong. Thread-safe. */
final class Judge {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> WHILE_AWAY = Set.of("worker_restarting", "model_loading");
    private static final Set<String> BUSY = Set.of("queue_full", "rate_limited");
    private static final Set<String> REASONS = Set.of("stop", "length", "tool_calls", "content_filter");
    private static final String DATA = "data: ";
    private static final int SHOWN = 200;

    private final Deaths deaths;

    Judge(Deaths deaths) {
        this.deaths = deaths;
    }

    /** What breaks the contract; the message is for the reader. */
    private static final class Malformed extends Exception {
        Malformed(String message) {
            super(message);
        }
    }

    /**
     * @param sent when it was sent, by {@link System#nanoTime()}
     * @param ended when the connection ended
     */
    Outcome of(Ask ask, Reply reply, long sent, long ended) {
        if (ask.kind().leaves()) {
            return Outcome.of(Sort.LEFT);
        }
        if (reply.status() == 0) {
            return ask.kind().mayBeCut()
                    ? Outcome.of(Sort.REFUSED)
                    : Outcome.wrong("no answer", ask.kind().label());
        }
        try {
            return judge(ask.kind(), reply, deaths.within(sent, ended));
        } catch (Malformed | JsonProcessingException | RuntimeException e) {
            return Outcome.wrong(
                    "a malformed answer",
                    ask.kind().label() + ", " + reply.status() + ": " + e.getMessage() + ": "
                            + shortened(reply.text()));
        }
    }

    private static Outcome judge(Kind kind, Reply reply, boolean away) throws Malformed, JsonProcessingException {
        check(reply.whole(), "it ends early");
        if (reply.status() == 200) {
            if (!kind.expects(200)) {
                return Outcome.wrong("accepted, though it is wrong", kind.label());
            }
            if (kind == Kind.LOOK) {
                return Outcome.of(Sort.ANSWERED);
            }
            return reply.isStream() ? stream(kind, reply.text(), away) : completion(kind, JSON.readTree(reply.text()));
        }
        if (kind == Kind.LOOK && reply.status() == 503 && away) {
            return Outcome.of(Sort.DEAD); // a probe that says so
        }
        if (kind == Kind.BAD_HTTP && kind.expects(reply.status())) {
            return Outcome.of(Sort.REFUSED); // what is no HTTP may be refused by other words than the API's
        }
        String code = error(JSON.readTree(reply.text()));
        if (reply.status() == 429 && BUSY.contains(code)) {
            check(reply.headers().containsKey("retry-after"), "Retry-After is missing");
            return Outcome.of(Sort.BUSY);
        }
        if (reply.status() == 503 && away && WHILE_AWAY.contains(code)) {
            check(reply.headers().containsKey("retry-after"), "Retry-After is missing");
            return Outcome.of(Sort.DEAD);
        }
        return kind.expects(reply.status())
                ? Outcome.of(Sort.REFUSED)
                : Outcome.wrong(
                        "status " + reply.status() + " " + code + " for " + kind.label(), shortened(reply.text()));
    }

    private static Outcome stream(Kind kind, String text, boolean away) throws Malformed, JsonProcessingException {
        List<String> events = List.of(text.split("\n\n"));
        String last = events.get(events.size() - 1);
        String id = null;
        boolean ended = false;
        for (String event : events.subList(0, events.size() - 1)) {
            if (event.startsWith(":")) {
                continue; // a comment keeps proxies from closing
            }
            check(event.startsWith(DATA), "an event without data");
            JsonNode chunk = JSON.readTree(event.substring(DATA.length()));
            check("chat.completion.chunk".equals(chunk.path("object").asText()), "no chunk");
            check(id == null || id.equals(chunk.path("id").asText()), "ids change");
            id = chunk.path("id").asText();
            for (JsonNode choice : chunk.path("choices")) {
                check(choice.path("delta").isObject(), "no delta");
                JsonNode reason = choice.path("finish_reason");
                check(reason.isNull() || REASONS.contains(reason.asText()), "finish_reason");
                ended |= !reason.isNull();
            }
        }
        if (last.startsWith("event: error\n" + DATA)) {
            String code = error(JSON.readTree(last.substring(last.indexOf(DATA) + DATA.length())));
            return away && WHILE_AWAY.contains(code)
                    ? Outcome.of(Sort.DEAD)
                    : Outcome.wrong("a stream that failed with " + code + ", " + kind.label(), shortened(last));
        }
        check(last.equals(DATA + "[DONE]"), "no end");
        check(ended, "no finish_reason");
        return Outcome.of(Sort.ANSWERED);
    }

    private static Outcome completion(Kind kind, JsonNode answer) throws Malformed, JsonProcessingException {
        check("chat.completion".equals(answer.path("object").asText()), "object");
        check(answer.path("id").asText().startsWith("chatcmpl-"), "id");
        check(answer.path("usage").path("completion_tokens").isInt(), "usage");
        check(answer.path("choices").size() > 0, "no choices");
        for (JsonNode choice : answer.path("choices")) {
            JsonNode message = choice.path("message");
            String reason = choice.path("finish_reason").asText();
            check("assistant".equals(message.path("role").asText()), "role");
            check(REASONS.contains(reason), "finish_reason");
            for (JsonNode call : message.path("tool_calls")) {
                check(
                        call.path("id").isTextual()
                                && call.path("function").path("name").isTextual(),
                        "tool call");
                if (!reason.equals("length")) {
                    JSON.readTree(call.path("function").path("arguments").asText());
                }
            }
            check(
                    message.path("content").isTextual()
                            || message.path("tool_calls").size() > 0,
                    "content");
            if (kind == Kind.SCHEMA && reason.equals("stop")) {
                check(
                        JSON.readTree(message.path("content").asText()).isObject(),
                        "no object though a schema was given");
            }
        }
        return Outcome.of(Sort.ANSWERED);
    }

    /** @return the code */
    private static String error(JsonNode body) throws Malformed {
        JsonNode error = body.path("error");
        for (String field : List.of("message", "type", "param", "code")) {
            check(error.has(field), "error." + field + " is missing");
        }
        String message = error.path("message").asText();
        check(
                !message.isBlank()
                        && !message.contains("Exception")
                        && !message.contains("/root/")
                        && !message.contains("\tat "),
                "an error's message");
        return error.path("code").asText();
    }

    private static void check(boolean good, String problem) throws Malformed {
        if (!good) {
            throw new Malformed(problem);
        }
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
    }
}
