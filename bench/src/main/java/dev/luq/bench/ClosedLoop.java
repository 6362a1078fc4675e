package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.CompletionClient;
import dev.luq.cli.Waiting;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that each send a request, wait for its end and send the next one; every request is kept. */
final class ClosedLoop {

    private ClosedLoop() {}

    /**
     * An answered request. Times are seconds from the start of the turn.
     *
     * @param number of the request
     * @param picture number of its picture; -1 without one
     * @param prompt tokens of it, those of the picture too
     * @param cached of them
     * @param first when the first event with text was complete
     * @param last when the last one was
     * @param end when the connection was closed
     */
    record Answered(
            int number,
            int picture,
            int prompt,
            int cached,
            int tokens,
            double sent,
            double first,
            double last,
            double end) {}

    /**
     * A turn.
     *
     * @param answered in the order of their ends
     * @param failures why requests failed
     */
    record Turn(int clients, int percent, List<Answered> answered, List<String> failures) {

        /** From the start to the last end. */
        double seconds() {
            return answered.stream().mapToDouble(Answered::end).max().orElse(0);
        }

        /** Generated tokens by {@link #seconds}. */
        double throughput() {
            return answered.stream().mapToInt(Answered::tokens).sum() / seconds();
        }

        /** Seconds from sending a request to its first text. */
        double[] firsts() {
            return answered.stream()
                    .mapToDouble(one -> one.first() - one.sent())
                    .toArray();
        }

        ObjectNode json() {
            ObjectNode json = CompletionClient.JSON.createObjectNode();
            json.put("clients", clients).put("pictures", percent);
            ArrayNode requests = json.putArray("requests");
            answered.forEach(one -> requests.add(CompletionClient.JSON.<ObjectNode>valueToTree(one)));
            return json;
        }
    }

    /**
     * Lets clients ask until the time is over, and what is under way end.
     *
     * @param requests what they ask; a client asks all questions about a picture
     * @param next number of the next picture or text; goes on from turn to turn
     * @param least places that are asked for by all together, also when the time is over
     */
    static Turn run(URI server, int clients, MixedRequests requests, AtomicInteger next, double seconds, int least) {
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        CompletionService<Turn> ended = new ExecutorCompletionService<>(threads);
        long start = System.nanoTime();
        int lastOfLeast = next.get() + least;
        try {
            for (int i = 0; i < clients; i++) {
                ended.submit(() -> ask(server, requests, next, start, start + (long) (seconds * 1e9), lastOfLeast));
            }
            List<Answered> answered = new ArrayList<>();
            List<String> failures = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                Turn one = ended.take().get();
                answered.addAll(one.answered);
                failures.addAll(one.failures);
            }
            return new Turn(clients, requests.percent(), answered, failures);
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private static Turn ask(
            URI server, MixedRequests requests, AtomicInteger next, long start, long limit, int lastOfLeast) {
        EventClock clock = new EventClock(server);
        List<Answered> answered = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        for (int place = next.getAndIncrement();
                place < lastOfLeast || System.nanoTime() < limit;
                place = next.getAndIncrement()) {
            for (int i = 0; i < requests.questions(); i++) {
                int number = place * requests.questions() + i;
                MixedRequests.Ask ask = requests.ask(number);
                long sent = System.nanoTime();
                try {
                    EventClock.Answer answer = ServeLoad.checked(clock.complete(ask.body()), ask.tokens());
                    answered.add(answered(number, ask, answer, sent, start));
                } catch (CliException e) {
                    failures.add(e.getMessage());
                }
            }
        }
        return new Turn(1, requests.percent(), answered, failures);
    }

    private static Answered answered(
            int number, MixedRequests.Ask ask, EventClock.Answer answer, long sent, long start) {
        long[] texts = answer.texts();
        return new Answered(
                number,
                ask.picture(),
                answer.usage().path("prompt_tokens").asInt(),
                answer.usage()
                        .path("prompt_tokens_details")
                        .path("cached_tokens")
                        .asInt(),
                ask.tokens(),
                seconds(sent, start),
                seconds(texts[0], start),
                seconds(texts[texts.length - 1], start),
                seconds(System.nanoTime(), start));
    }

    private static double seconds(long time, long start) {
        return Math.round((time - start) / 1e4) / 1e5;
    }
}
