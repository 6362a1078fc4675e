package dev.luq.benchmarks.run;

import dev.luq.benchmarks.Benchmark;
import dev.luq.benchmarks.data.BenchmarkFolder;
import dev.luq.benchmarks.data.Question;
import dev.luq.benchmarks.data.Questions;
import dev.luq.benchmarks.scoring.Answer;
import dev.luq.benchmarks.scoring.MathVista;
import dev.luq.benchmarks.scoring.Reference;
import dev.luq.benchmarks.scoring.Scorer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Asks a model the questions of a benchmark that it has not answered yet, and scores all its answers. As many pictures
 * are in memory as questions are asked at once, and one more.
 */
public final class BenchmarkRun {

    private final BenchmarkFolder data;
    private final RunHeader header;
    private final PromptStyle style;
    private final OptionalInt limit;
    private final int concurrency;
    private final Respondent model;
    private final Optional<Judge> judge;

    /**
     * A run.
     *
     * @param limit questions to ask, those of a group as one; empty for all
     * @param concurrency questions asked at once
     * @param judge reads answers to {@code mathvista} that the rules cannot
     */
    public BenchmarkRun(
            BenchmarkFolder data,
            RunHeader header,
            PromptStyle style,
            OptionalInt limit,
            int concurrency,
            Respondent model,
            Optional<Judge> judge) {
        this.data = data;
        this.header = header;
        this.style = style;
        this.limit = limit;
        this.concurrency = concurrency;
        this.model = model;
        this.judge = judge;
    }

    /** Is told how far a run is; any thread calls. */
    @FunctionalInterface
    public interface Progress {
        void answered(int questions, int ofAll);
    }

    /**
     * Runs to the end.
     *
     * @param answers file to go on with, or to make
     * @throws BenchmarkRunException the file is of another run, or the server refuses whatever it is asked
     * @throws dev.luq.benchmarks.data.BenchmarkDataException the data are not as published; found before the first question
     * @throws RuntimeException of the respondent: what was answered until then is kept
     */
    public RunResult run(Path answers, Progress progress) throws IOException {
        AskedQuestions questions = check();
        try (AnswersFile file = AnswersFile.open(answers, header)) {
            Set<String> answered = file.answered(questions::has);
            AtomicInteger done = new AtomicInteger(answered.size());
            progress.answered(done.get(), questions.size());
            judgeEarlier(file, questions);
            ask(file, answered, () -> progress.answered(done.incrementAndGet(), questions.size()));
            return result(file, questions);
        }
    }

    /** Reads all questions and pictures once, so that faults are found before hours have passed. */
    private AskedQuestions check() throws IOException {
        AskedQuestions questions = new AskedQuestions();
        Scorer scorer = benchmark().scorer();
        forEachQuestion(question -> {
            byte[] picture = question.picture().bytes();
            if (!questions.add(question.id(), prompt(question), question.reference(), picture)) {
                throw new BenchmarkRunException(
                        "Two questions have the id " + question.id() + ": take the files of one split, each once.");
            }
            scorer.add(question.reference(), Answer.of(""));
        });
        scorer.scores();
        return questions;
    }

    private Benchmark benchmark() {
        return data.benchmark();
    }

    private String prompt(Question question) {
        return style.prompt(benchmark(), question);
    }

    private interface Reader {
        void read(Question question) throws IOException;
    }

    private void forEachQuestion(Reader reader) throws IOException {
        Selection selection = new Selection(limit);
        try (Questions questions = data.open()) {
            while (!selection.isComplete()) {
                Optional<Question> next = questions.next();
                if (next.isEmpty()) {
                    return;
                }
                if (selection.takes(next.get())) {
                    reader.read(next.get());
                }
            }
        }
    }

    private void ask(AnswersFile file, Set<String> answered, Runnable done) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(concurrency);
        Semaphore free = new Semaphore(concurrency);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        FirstAnswers first = new FirstAnswers(!answered.isEmpty());
        try {
            forEachQuestion(question -> {
                rethrow(failure.get());
                if (answered.contains(question.id())) {
                    return;
                }
                free.acquireUninterruptibly();
                // Here: the files are closed when the last question was read, not when it was answered.
                byte[] picture = question.picture().bytes();
                threads.execute(() -> {
                    try {
                        if (failure.get() == null) {
                            AnswerLine line = answer(question, picture);
                            // Before the judge is asked, who may be gone.
                            file.append(line);
                            first.add(line);
                            done.run();
                            judge(file, line);
                        }
                    } catch (Throwable e) {
                        // Also an error: the thread that reads the questions ends with it.
                        failure.compareAndSet(null, e);
                    } finally {
                        free.release();
                    }
                });
            });
        } finally {
            threads.shutdown();
            await(threads);
        }
        rethrow(failure.get());
    }

    private static void rethrow(Throwable failure) throws IOException {
        if (failure instanceof IOException e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    private static void await(ExecutorService threads) {
        try {
            while (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
                // The respondent has its own time limits.
            }
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private AnswerLine answer(Question question, byte[] picture) {
        String prompt = prompt(question);
        String digest = AskedQuestions.picture(picture);
        Reference reference = question.reference();
        try {
            String answer = model.answer(prompt, picture, header.maxTokens());
            return AnswerLine.of(question.id(), prompt, digest, answer, reference);
        } catch (Respondent.RefusedException e) {
            return AnswerLine.refused(question.id(), prompt, digest, e.getMessage(), reference);
        }
    }

    /** Adds the line with the judge's verdict, if there is a judge, something to judge, and a verdict. */
    private void judge(AnswersFile file, AnswerLine line) throws IOException {
        if (judge.isPresent() && isUnread(line)) {
            String answer = judge.get().ask(line.prompt(), line.answer());
            if (answer != null) {
                file.append(line.judged(answer, judge.get()));
            }
        }
    }

    /** A server that refuses the questions about all of the first pictures takes no pictures at all. Thread-safe. */
    private static final class FirstAnswers {

        private static final int ENOUGH = 20;

        private final Set<String> pictures = new HashSet<>();
        private boolean taken;

        /** @param taken whether an earlier run knows that it takes some */
        FirstAnswers(boolean taken) {
            this.taken = taken;
        }

        synchronized void add(AnswerLine line) {
            taken |= line.refused() == null;
            pictures.add(line.picture());
            if (!taken && pictures.size() == ENOUGH) {
                throw new BenchmarkRunException("The server refused the questions about all of the first " + ENOUGH
                        + " pictures: "
                        + line.refused() + " Ask a model that is served with what it needs to see pictures.");
            }
        }
    }

    /** Whether neither the rules nor this run's judge could read it. */
    private boolean isUnread(AnswerLine line) {
        return benchmark() == Benchmark.MATHVISTA
                && line.refused() == null
                && !line.isJudgedBy(judge)
                && MathVista.extract(line.reference(), line.scored(judge).text())
                        .isEmpty();
    }

    /** Answers of earlier runs that this judge has not seen. */
    private void judgeEarlier(AnswersFile file, AskedQuestions questions) throws IOException {
        if (judge.isEmpty()) {
            return;
        }
        Map<String, AnswerLine> unread = new LinkedHashMap<>();
        counted(file, questions, line -> {
            if (isUnread(line)) {
                unread.put(line.id(), line);
            }
        });
        for (AnswerLine line : unread.values()) {
            judge(file, line);
        }
    }

    /**
     * Calls back with the line that counts of each question that has one: that with a verdict of this run's judge, else the
     * last one. A question that was answered is not asked again, so that all its answers are one, with several judges'
     * verdicts.
     *
     * @return ids of these questions
     */
    private Set<String> counted(AnswersFile file, AskedQuestions questions, Consumer<AnswerLine> reader)
            throws IOException {
        Map<String, Integer> numbers = new HashMap<>();
        Set<String> judged = new HashSet<>();
        int[] number = new int[1];
        file.forEach(line -> {
            number[0]++;
            if (questions.has(line) && (line.isJudgedBy(judge) || !judged.contains(line.id()))) {
                numbers.put(line.id(), number[0]);
                if (line.isJudgedBy(judge)) {
                    judged.add(line.id());
                }
            }
        });
        number[0] = 0;
        file.forEach(line -> {
            number[0]++;
            if (Integer.valueOf(number[0]).equals(numbers.get(line.id()))) {
                reader.accept(line);
            }
        });
        return numbers.keySet();
    }

    private RunResult result(AnswersFile file, AskedQuestions questions) throws IOException {
        Scorer scorer = benchmark().scorer();
        int[] refused = new int[1];
        int[] unread = new int[1];
        Set<String> answered = counted(file, questions, line -> {
            scorer.add(line.reference(), line.scored(judge));
            refused[0] += line.refused() == null ? 0 : 1;
            unread[0] += isUnread(line) ? 1 : 0;
        });
        if (!answered.equals(questions.ids())) {
            throw new BenchmarkRunException("Not every question was asked; run the command again.");
        }
        return new RunResult(
                header,
                limit.isPresent() ? limit.getAsInt() : null,
                judge.map(Judge::model).orElse(null),
                refused[0],
                unread[0],
                scorer.scores());
    }
}
