package dev.luq.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.cli.CliException;
import dev.luq.cli.Waiting;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.DoubleStream;

/** Clients of one server that each send a request, wait for the end of its answer, and send the next one. */
final class ServeLoad {

    private ServeLoad() {}

    /**
     * Clients that ask the same kind of thing.
     *
     * @param request the body for each number
     * @param next number of the next request; goes on from turn to turn, and is one server's own
     * @param tokens that every answer has
     */
    record Group(int clients, IntFunction<ObjectNode> request, AtomicInteger next, int tokens) {}

    /**
     * What the clients of a group saw in a turn.
     *
     * @param seconds that tokens and answers were counted for
     * @param tokens that came within these, a share of an answer's tokens for each of its events
     * @param answers that ended within these
     * @param firsts seconds from sending each request to its first text, also of answers that ended later
     * @param gaps seconds between two successive texts of an answer, where the later one came within the time
     * @param failures why requests failed
     */
    record Turn(
            double seconds, double tokens, int answers, double[] firsts, double[] gaps, Collection<String> failures) {

        /**
         * @param start of the time that counts
         * @param end of it, both by {@link System#nanoTime()}
         * @param tokens that every answer has
         */
        static Turn of(
                long start, long end, List<EventClock.Answer> answered, int tokens, Collection<String> failures) {
            double counted = 0;
            int answers = 0;
            DoubleStream.Builder gaps = DoubleStream.builder();
            for (EventClock.Answer one : answered) {
                long[] texts = one.texts();
                int within =
                        (int) Arrays.stream(texts).filter(text -> text <= end).count();
                counted += (double) tokens * within / texts.length;
                answers += within == texts.length ? 1 : 0;
                for (int i = 1; i < within; i++) {
                    gaps.add((texts[i] - texts[i - 1]) / 1e9);
                }
            }
            return new Turn(
                    (end - start) / 1e9,
                    counted,
                    answers,
                    answered.stream()
                            .mapToDouble(one -> (one.texts()[0] - one.sent()) / 1e9)
                            .toArray(),
                    gaps.build().toArray(),
                    List.copyOf(failures));
        }
    }

    /**
     * Lets all groups ask at once. No request begins after the time, and all that began are let end, so that nothing of
     * them is left when the next turn begins; what comes after the time does not count. The time is longer than asked
     * for when a client has had no answer by then.
     *
     * @param seconds of the turn
     * @return one turn for each group
     * @throws CliException when a group got no answer at all
     */
    static List<Turn> run(URI server, List<Group> groups, double seconds) {
        int clients = groups.stream().mapToInt(Group::clients).sum();
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            long start = System.nanoTime();
            long limit = start + (long) (seconds * 1e9);
            List<List<EventClock.Answer>> answered = new ArrayList<>();
            List<Collection<String>> failures = new ArrayList<>();
            List<Future<Long>> firstAnswers = new ArrayList<>();
            for (Group group : groups) {
                List<EventClock.Answer> answers = Collections.synchronizedList(new ArrayList<>());
                List<String> reasons = Collections.synchronizedList(new ArrayList<>());
                answered.add(answers);
                failures.add(reasons);
                for (int i = 0; i < group.clients(); i++) {
                    firstAnswers.add(threads.submit(() -> ask(server, group, limit, answers, reasons)));
                }
            }
            long end = limit;
            for (Future<Long> first : firstAnswers) {
                end = Math.max(end, first.get());
            }
            List<Turn> turns = new ArrayList<>();
            for (int i = 0; i < groups.size(); i++) {
                if (answered.get(i).isEmpty()) {
                    throw new CliException("No request was answered: " + String.join("; ", failures.get(i)));
                }
                turns.add(Turn.of(start, end, answered.get(i), groups.get(i).tokens(), failures.get(i)));
            }
            return turns;
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    /** @return when the first answer ended */
    private static long ask(
            URI server, Group group, long limit, List<EventClock.Answer> answers, List<String> failures) {
        EventClock clock = new EventClock(server);
        long first = 0;
        do {
            ObjectNode request = group.request().apply(group.next().getAndIncrement());
            try {
                answers.add(checked(clock.complete(request), group.tokens()));
            } catch (CliException e) {
                failures.add(e.getMessage());
            }
            first = first == 0 ? System.nanoTime() : first;
        } while (System.nanoTime() < limit);
        return first;
    }

    /** @throws CliException when the answer has not as many tokens as were asked for, or no text */
    static EventClock.Answer checked(EventClock.Answer answer, int tokens) {
        int generated = answer.usage().path("completion_tokens").asInt();
        if (generated != tokens || answer.texts().length < 1) {
            throw new CliException("An answer had " + generated + " tokens and " + answer.texts().length
                    + " events with text where " + tokens + " tokens were asked for.");
        }
        return answer;
    }
}
