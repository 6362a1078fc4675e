package dev.luq.bench.soak;

import dev.luq.bench.soak.Outcome.Sort;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** How many requests of each kind came to what, and what was wrong. Thread-safe. */
final class Tally {

    private static final int PROBLEMS = 100;

    private final long[][] counts = new long[Kind.values().length][Sort.values().length];
    private final Map<String, Problem> problems = new LinkedHashMap<>();
    private final PrintStream out;

    /** @param out told of each problem when it is seen for the first time */
    Tally(PrintStream out) {
        this.out = out;
    }

    /** @param example the first time's detail */
    record Problem(long times, String example) {}

    synchronized void add(Kind kind, Outcome outcome) {
        counts[kind.ordinal()][outcome.sort().ordinal()]++;
        if (outcome.sort() == Sort.WRONG) {
            wrong(outcome.problem(), outcome.detail());
        }
    }

    /** Something that is wrong with no request or with all. */
    synchronized void wrong(String problem, String detail) {
        Problem before = problems.get(problem);
        if (before != null) {
            problems.put(problem, new Problem(before.times + 1, before.example));
        } else if (problems.size() < PROBLEMS) {
            problems.put(problem, new Problem(1, detail));
            out.println("WRONG: " + problem + " (" + detail + ")");
        }
    }

    synchronized long of(Kind kind, Sort sort) {
        return counts[kind.ordinal()][sort.ordinal()];
    }

    synchronized long of(Sort sort) {
        return Arrays.stream(counts).mapToLong(kind -> kind[sort.ordinal()]).sum();
    }

    synchronized long of(Kind kind) {
        return Arrays.stream(counts[kind.ordinal()]).sum();
    }

    synchronized long all() {
        return Arrays.stream(counts).flatMapToLong(Arrays::stream).sum();
    }

    synchronized Map<String, Problem> problems() {
        return new LinkedHashMap<>(problems);
    }
}
