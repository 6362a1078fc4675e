package dev.luq.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The world of a {@link Scheduler} without natives: a KV cache of cells that sequences share, and a "model" whose next
 * token the test chooses. It checks on every step what llama.cpp would insist on, and whenever a token is sampled that
 * the sequence holds exactly the request's prompt and answer.
 */
final class World implements Effects {

    /** A cell of the KV cache: which token, or which part of which image, at which position. */
    static final class Cell {
        final Object content;
        final int position;

        Cell(Object content, int position) {
            this.content = content;
            this.position = position;
        }
    }

    /** Tokens of a batch unless told otherwise. */
    static final int BATCH = 16;

    final int batchSize;
    final int contextSize;
    final Scheduler scheduler;
    final List<List<Cell>> sequences = new ArrayList<>();

    final List<String> toPrepare = new ArrayList<>();
    /** Images asked for and not encoded yet, by id, with the requests that asked. */
    final Map<String, Set<String>> toEncode = new LinkedHashMap<>();

    final Set<String> encoded = new HashSet<>();
    final Map<String, Prompt> prompts = new HashMap<>();
    final Map<String, Integer> cachedTokens = new HashMap<>();
    final Map<String, Integer> sequenceOf = new HashMap<>();
    /** Tokens of the latest step that were not sampled before. */
    private final Map<String, Integer> drafts = new HashMap<>();
    /** Tokens generated so far. */
    final Map<String, List<Integer>> answers = new HashMap<>();

    final Map<String, FinishReason> finished = new HashMap<>();
    final Map<String, EngineException> failed = new HashMap<>();
    /** Whether copies of what sequences hold cannot be made. */
    boolean noMemory;
    /** Copies of what sequences held. */
    final Map<Long, List<Cell>> saved = new HashMap<>();

    /** Prefixes in files, by name; null where none are kept. */
    Map<String, List<Cell>> files;
    /** Whether files hold what cannot be restored. */
    boolean damagedFiles;
    /** Copies for which the first token of their request is awaited, by request. */
    final Map<String, Map.Entry<String, List<Cell>>> copies = new HashMap<>();
    /** Prefixes asked for and not read yet, by request. */
    final Map<String, ImagePrefix> toRead = new LinkedHashMap<>();
    /** Prefixes read and not restored yet, by request. */
    final Map<String, ImagePrefix> read = new HashMap<>();

    final List<String> removed = new ArrayList<>();
    final List<String> copied = new ArrayList<>();
    /** Requests whose next token ends their answer. */
    final Set<String> ending = new HashSet<>();
    /** False for a model whose memory cannot be cut. */
    boolean forgetsParts = true;
    /** Latest positions that every layer looks at: what is before is lost with the next step. */
    int window = Integer.MAX_VALUE;
    /** Of each sequence, and of each copy: the first position that is not lost. */
    private final int[] first;

    private final Map<Long, Integer> firstSaved = new HashMap<>();

    /** Tokens that are generated next, then numbers that never came before. */
    final Deque<Integer> script = new ArrayDeque<>();

    private int nextToken = 1000;
    /** Tokens of drafts, by request, and how many of them were right. */
    final Map<String, Integer> drafted = new HashMap<>();

    final Map<String, Integer> accepted = new HashMap<>();

    World() {
        this(4, 1024, BATCH);
    }

    World(int sequences, int contextSize, int batchSize) {
        this(sequences, contextSize, batchSize, 0);
    }

    /** @param promptCacheBytes a cell that is kept beyond the sequences takes a byte */
    World(int sequences, int contextSize, int batchSize, long promptCacheBytes) {
        this(sequences, contextSize, batchSize, promptCacheBytes, 0);
    }

    /** @param draftTokens that a step drafts at most */
    World(int sequences, int contextSize, int batchSize, long promptCacheBytes, int draftTokens) {
        this(sequences, contextSize, contextSize, batchSize, promptCacheBytes, draftTokens, false);
    }

    private World(
            int sequences,
            int contextSize,
            int sequenceCells,
            int batchSize,
            long promptCacheBytes,
            int draftTokens,
            boolean wholePrompts) {
        this.batchSize = batchSize;
        this.contextSize = contextSize;
        this.first = new int[sequences];
        for (int i = 0; i < sequences; i++) {
            this.sequences.add(new ArrayList<>());
        }
        this.scheduler = new Scheduler(
                this, sequences, contextSize, sequenceCells, batchSize, promptCacheBytes, draftTokens, wholePrompts);
    }

    /** One whose model reads a text at once. */
    static World ofEncoder(int sequences, int contextSize, int batchSize) {
        return new World(sequences, contextSize, contextSize, batchSize, 0, 0, true);
    }

    /** One whose requests may have so many cells each. */
    static World ofBoundedSequences(int sequences, int contextSize, int sequenceCells) {
        return new World(sequences, contextSize, sequenceCells, BATCH, 0, 0, false);
    }

    // ---- for tests ----

    static Prompt text(int... tokens) {
        List<PromptUnit> units = new ArrayList<>();
        for (int token : tokens) {
            units.add(new PromptUnit.Text(token));
        }
        return Prompt.of(units, null);
    }

    /** Text of this many tokens, starting with this one and counting up. */
    static Prompt range(int first, int count) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = first + i;
        }
        return text(tokens);
    }

    static Prompt join(Object... parts) {
        List<PromptUnit> units = new ArrayList<>();
        for (Object part : parts) {
            if (part instanceof Prompt prompt) {
                units.addAll(prompt.units());
            } else {
                units.add((PromptUnit) part);
            }
        }
        return Prompt.of(units, null);
    }

    static PromptUnit.Image image(String id, int cells) {
        return new PromptUnit.Image(id, cells, cells / 4 + 1, true);
    }

    /** An image that must be decoded at once. */
    static PromptUnit.Image indivisible(String id, int cells) {
        return new PromptUnit.Image(id, cells, cells / 4 + 1, false);
    }

    /** The prompt and everything that was generated after it. */
    Prompt conversation(String id) {
        List<Object> parts = new ArrayList<>(List.of(prompts.get(id)));
        answers.get(id).forEach(token -> parts.add(new PromptUnit.Text(token)));
        return join(parts.toArray());
    }

    void submit(String id, Prompt prompt, int maxTokens) {
        submit(id, prompt, maxTokens, true);
    }

    void submit(String id, Prompt prompt, int maxTokens, boolean reuse) {
        submit(id, prompt, maxTokens, reuse, "");
    }

    void submit(String id, Prompt prompt, int maxTokens, boolean reuse, String client) {
        submit(id, prompt, maxTokens, reuse, true, client);
    }

    /** Submits a request for an embedding. */
    void embed(String id, Prompt prompt) {
        ending.add(id);
        submit(id, prompt, 1, false, false, "");
    }

    private void submit(String id, Prompt prompt, int maxTokens, boolean reuse, boolean keeps, String client) {
        answers.put(id, new ArrayList<>());
        scheduler.submitted(id, maxTokens, reuse, keeps, client);
        assertTrue(toPrepare.remove(id));
        prompts.put(id, prompt);
        scheduler.prepared(id, prompt);
    }

    void encodeAll() {
        List.copyOf(toEncode.keySet()).forEach(this::finishEncoding);
    }

    void finishEncoding(String image) {
        toEncode.remove(image);
        encoded.add(image);
        scheduler.encoded(image);
    }

    void readAll() {
        List.copyOf(toRead.keySet()).forEach(this::finishReading);
    }

    void finishReading(String request) {
        ImagePrefix prefix = toRead.remove(request);
        if (prompts.containsKey(request) && !failed.containsKey(request)) {
            read.put(request, prefix);
        }
        scheduler.prefixRead(request, prefix.units());
    }

    /** Does what the engine's loop does, once. */
    Step step() {
        Step step = scheduler.schedule();
        assertTrue(step.cells() <= batchSize, "a step is one batch at most");
        if (!step.tokens().isEmpty()) {
            decode(step.tokens());
            step.tokens().forEach(scheduler::decoded);
            step.tokens().stream().filter(run -> run.outputs() > 0).forEach(run -> sampleAndTell(run.request()));
        }
        if (step.image() != null) {
            decode(step.image());
            scheduler.decoded(step.image());
            if (step.image().output()) {
                sampleAndTell(step.image().request());
            }
        }
        assertTrue(used() <= contextSize, "the KV cache is never overfilled");
        assertEquals(used(), scheduler.cellsUsed(), "the scheduler's idea of the KV cache is right");
        assertEquals(
                saved.values().stream().mapToInt(List::size).sum(),
                scheduler.promptCacheBytes(),
                "its idea of what is kept beyond it too");
        assertTrue(read.size() <= 1, "one prefix is held at a time");
        return step;
    }

    /** Steps and encodes until nothing is left to do. */
    void run() {
        do {
            encodeAll();
            readAll();
        } while (!step().isEmpty() || !toEncode.isEmpty() || !toRead.isEmpty());
    }

    /** Submits a request without an end and steps until its first token. */
    void generate(String id, Prompt prompt) {
        submit(id, prompt, 0);
        while (answers.get(id).isEmpty()) {
            encodeAll();
            readAll();
            step();
        }
    }

    /** Submits a request and steps to its end. */
    void complete(String id, Prompt prompt, int maxTokens) {
        submit(id, prompt, maxTokens);
        run();
        assertTrue(finished.containsKey(id));
    }

    /** Cells that a step adds for each request. */
    static Map<String, Integer> cells(Step step) {
        Map<String, Integer> cells = new TreeMap<>();
        step.tokens().forEach(run -> cells.put(run.request(), run.tokens().length));
        if (step.image() != null) {
            cells.put(step.image().request(), step.image().count());
        }
        return cells;
    }

    private void sampleAndTell(String id) {
        while (scheduler.sampled(id, sample(id))) {
            assertTrue(finished.get(id) == null, "who goes on has not ended");
        }
    }

    int used() {
        Set<Cell> cells = new HashSet<>();
        sequences.forEach(cells::addAll);
        return cells.size();
    }

    // ---- Effects ----

    @Override
    public void prepare(String request) {
        toPrepare.add(request);
    }

    @Override
    public void admitted(String request, Prompt prompt, int cached) {
        cachedTokens.put(request, cached);
        read.remove(request);
    }

    @Override
    public boolean encode(String request, int unit, PromptUnit.Image image) {
        if (encoded.contains(image.id())) {
            return true;
        }
        toEncode.computeIfAbsent(image.id(), id -> new HashSet<>()).add(request);
        return false;
    }

    @Override
    public boolean remove(int sequence, int from, int to) {
        Iterator<Cell> cells = sequences.get(sequence).iterator();
        boolean partly = from > 0 && sequences.get(sequence).stream().anyMatch(c -> c.position >= from);
        if (partly && !forgetsParts) {
            return false;
        }
        removed.add(sequence + ":" + from);
        while (cells.hasNext()) {
            Cell cell = cells.next();
            if (cell.position >= from && (to < 0 || cell.position < to)) {
                cells.remove();
            }
        }
        if (sequences.get(sequence).isEmpty()) {
            first[sequence] = 0;
        }
        return true;
    }

    @Override
    public int window() {
        return window;
    }

    @Override
    public int firstPosition(int sequence) {
        return sequences.get(sequence).isEmpty() ? -1 : first[sequence];
    }

    /** Everything before is lost that a token at this position does not look at. */
    private int firstSeen(int position) {
        return Math.max(0, position - window + 1);
    }

    private int end(int sequence) {
        List<Cell> cells = sequences.get(sequence);
        return cells.isEmpty() ? 0 : cells.get(cells.size() - 1).position + 1;
    }

    @Override
    public void copy(int source, int target, int from, int to) {
        assertTrue(sequences.get(target).isEmpty(), "a copy goes to an empty sequence");
        first[target] = first[source];
        copied.add(source + ">" + target);
        for (Cell cell : sequences.get(source)) {
            if (!forgetsParts || cell.position >= from && cell.position < to) {
                sequences.get(target).add(cell);
            }
        }
    }

    @Override
    public long stateBytes(int sequence) {
        return sequences.get(sequence).size();
    }

    @Override
    public boolean save(int sequence, long id) {
        if (noMemory) {
            return false;
        }
        assertEquals(null, saved.put(id, List.copyOf(sequences.get(sequence))));
        firstSaved.put(id, Math.max(first[sequence], firstSeen(end(sequence) - 1)));
        return true;
    }

    @Override
    public boolean restore(long id, int sequence) {
        assertTrue(sequences.get(sequence).isEmpty(), "a copy goes into an empty sequence");
        if (used() + saved.get(id).size() > contextSize) {
            return false;
        }
        first[sequence] = firstSaved.get(id);
        saved.get(id).forEach(cell -> sequences.get(sequence).add(new Cell(cell.content, cell.position)));
        return true;
    }

    @Override
    public void forget(long id) {
        assertTrue(saved.remove(id) != null);
    }

    @Override
    public boolean readPrefix(String request, Prompt prompt, int cells) {
        if (files == null) {
            return false;
        }
        ImagePrefix longest = null;
        for (ImagePrefix prefix : ImagePrefix.of(prompt)) {
            if (files.containsKey(prefix.name())
                    && prefix.cells() >= cells
                    && prefix.units() < prompt.units().size()) {
                longest = prefix;
            }
        }
        return longest != null && toRead.put(request, longest) == null;
    }

    @Override
    public boolean restorePrefix(String request, int sequence) {
        ImagePrefix prefix = read.remove(request);
        assertTrue(sequences.get(sequence).isEmpty(), "a prefix goes into an empty sequence");
        if (damagedFiles) {
            files.remove(prefix.name());
            return false;
        }
        List<Cell> cells = files.get(prefix.name());
        assertTrue(used() + cells.size() <= contextSize, "there is room for it");
        cells.forEach(cell -> sequences.get(sequence).add(new Cell(cell.content, cell.position)));
        first[sequence] = firstSeen(end(sequence) - 1);
        return true;
    }

    @Override
    public void keepPrefix(String request, int sequence, Prompt prefix) {
        assertEquals(prefix.tokens(), sequences.get(sequence).size(), "it is all that the sequence holds");
        List<ImagePrefix> prefixes = ImagePrefix.of(prefix);
        ImagePrefix last = prefixes.get(prefixes.size() - 1);
        assertEquals(prefix.units().size(), last.units());
        copies.put(request, Map.entry(last.name(), List.copyOf(sequences.get(sequence))));
    }

    @Override
    public void decode(List<Step.TokenRun> runs) {
        Set<Integer> seen = new HashSet<>();
        loseWhatIsBehindTheWindow();
        for (Step.TokenRun run : runs) {
            assertTrue(seen.add(run.sequence()), "one run for each sequence");
            sequenceOf.put(run.request(), run.sequence());
            drafts.put(run.request(), run.drafted());
            look(run.sequence(), run.position());
            int position = run.position();
            for (int token : run.tokens()) {
                put(run.sequence(), token, position++, true);
            }
        }
    }

    @Override
    public void decode(Step.ImageSlice slice) {
        assertTrue(encoded.contains(slice.image().id()), "an image is encoded before it is decoded");
        assertTrue(slice.count() == slice.image().cells() || slice.image().divisible());
        sequenceOf.put(slice.request(), slice.sequence());
        loseWhatIsBehindTheWindow();
        if (slice.first() == 0) { // its other parts are at the same position
            look(slice.sequence(), slice.position());
        }
        for (int i = 0; i < slice.count(); i++) {
            put(slice.sequence(), slice.image().id() + "/" + (slice.first() + i), slice.position(), false);
        }
    }

    /** A batch may take every cell that the next token of its sequence does not look at. */
    private void loseWhatIsBehindTheWindow() {
        for (int s = 0; s < first.length; s++) {
            first[s] = Math.max(first[s], firstSeen(end(s)));
        }
    }

    private void look(int sequence, int position) {
        assertTrue(first[sequence] <= firstSeen(position), "all is left that is looked at");
    }

    private void put(int sequence, Object content, int position, boolean isText) {
        List<Cell> cells = sequences.get(sequence);
        int last = cells.isEmpty() ? -1 : cells.get(cells.size() - 1).position;
        assertTrue(isText ? position > last : position >= last, "positions go forward");
        cells.add(new Cell(content, position));
    }

    @Override
    public void accepted(String request, Prompt prompt, int cached) {
        assertTrue(answers.get(request).isEmpty());
        assertEquals(prompts.get(request), prompt);
    }

    @Override
    public Sampled sample(String request) {
        List<Object> expected = new ArrayList<>();
        List<Integer> positions = new ArrayList<>();
        int position = 0;
        for (PromptUnit unit : conversation(request).units()) {
            for (int i = 0; i < unit.cells(); i++) {
                expected.add(unit instanceof PromptUnit.Text t ? t.token() : ((PromptUnit.Image) unit).id() + "/" + i);
                positions.add(position);
            }
            position += unit.positions();
        }
        List<Cell> all = sequences.get(sequenceOf.get(request));
        // Behind it is what was drafted and is not sampled yet.
        assertTrue(all.size() <= expected.size() + drafts.getOrDefault(request, 0));
        List<Cell> cells = all.subList(0, Math.min(expected.size(), all.size()));
        assertEquals(expected, cells.stream().map(c -> c.content).toList());
        assertEquals(positions, cells.stream().map(c -> c.position).toList());
        int token = script.isEmpty() ? nextToken++ : script.remove();
        answers.get(request).add(token);
        Map.Entry<String, List<Cell>> copy = copies.remove(request);
        if (copy != null && files != null) {
            files.put(copy.getKey(), copy.getValue());
        }
        return new Sampled(token, ending.contains(request) ? FinishReason.STOP : null);
    }

    @Override
    public void drafted(String request, int tokens, int right) {
        drafted.merge(request, tokens, Integer::sum);
        accepted.merge(request, right, Integer::sum);
    }

    @Override
    public void finished(String request, FinishReason reason) {
        assertFalse(failed.containsKey(request));
        assertEquals(null, finished.put(request, reason), "a request ends once");
        release(request);
    }

    @Override
    public void failed(String request, EngineException failure) {
        assertFalse(finished.containsKey(request));
        assertEquals(null, failed.put(request, failure), "a request ends once");
        release(request);
    }

    private void release(String request) {
        read.remove(request);
        copies.remove(request);
    }
}
