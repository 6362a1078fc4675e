package dev.luq.engine;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptException;
import dev.luq.prompt.PromptUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Decides what the engine does next. It knows no clock, no thread and nothing native: it is told what happened and
 * answers with a {@link Step}, or through {@link Effects}. Not thread-safe.
 *
 * <p>A request is prepared (tokenized) as soon as it is submitted, waits for a sequence, and then goes through prefill and
 * decode. Each {@link #schedule} decides in this order:
 * <ol>
 * <li><b>Decode first.</b> Every request in decode adds one token to the batch. The cells that it has reserved (8) are
 *     there for it; beyond them it may take cells that no running request holds or has reserved. When those run out, the
 *     newest of the requests that grow beyond their reservations ends with {@code length}.
 * <li><b>Prompts that do not fit</b> what a sequence may have of the context, all of it unless that is bounded, are refused
 *     when they are prepared, and images that do not fit into a step where they must be decoded at once. An answer that
 *     reaches the bound ends with {@code length}.
 * <li><b>Which request.</b> {@link FairShare} decides which client gets a free sequence; requests of one client get theirs
 *     in the order in which they came.
 * <li><b>Which sequence.</b> The longest common prefix is looked for in all sequences, running ones too. If the best
 *     one is idle and at least half of it is reused, or it is the only idle one, the request continues it in place;
 *     otherwise the prefix is shared with the idle sequence whose own content is the least loss: an empty one, else
 *     the least recently used. At least the last unit is evaluated anew, since its logits are needed. A model whose
 *     memory cannot be cut only continues whole sequences, and one with a {@link Window} continues others only where all
 *     is left that it looks at.
 * <li><b>Beyond the sequences.</b> What a sequence holds is kept in {@link PromptCache} before it is evicted. A request
 *     whose longest common prefix is there, at least {@value #WORTH_WAITING} cells longer than with any sequence, has it
 *     restored into the idle sequence that is the least loss.
 * <li><b>Beyond the process.</b> When the last image of a prompt is evaluated, what the sequence holds is kept in a file. A
 *     request whose longest common prefix is there, at least {@value #WORTH_WAITING} cells longer than in the process, waits
 *     until it is read and has it restored into the idle sequence that is the least loss; later requests are admitted
 *     before. One file is read at a time, which bounds the memory.
 * <li><b>No prefill twice.</b> A request whose prompt has a prefix in common with a prompt in prefill that will be kept, at
 *     least {@value #WORTH_WAITING} cells longer than with any cached sequence, waits for it; later requests are admitted
 *     before.
 * <li><b>Cells.</b> A request is admitted when its reservation fits beside the reservations and cells of the running
 *     ones: its prompt and one token, or its even share of the context if that is more, but never more than it can
 *     use. While it does not fit, no later request is admitted.
 * <li><b>Images</b> that the reused prefix lacks are encoded when their request runs, at most {@value #ENCODE_AHEAD}
 *     ahead of where its prompt stands, which bounds the embeddings held. Text before an image does not wait for it.
 * <li><b>Prefill shares the rest</b> of the batch evenly; what one prompt cannot use goes to the others. At most one image
 *     is part of a step, that of the request whose last slice was longest ago. {@link StepBuilder} does that.
 *     Where tokens attend to later ones too, a prompt is evaluated in one step: as many of the oldest as fit into it.
 * <li><b>Drafts last.</b> Tokens that are likely to come next ({@link Speculation}) are decoded with the latest one where the
 *     batch has room left and cells are free, at most as many as is configured, in equal shares of the requests in decode.
 *     They are part of the sequence while they agree with what is sampled; the rest is cut off before the next step. A model
 *     whose memory cannot be cut drafts nothing.
 * <li><b>Eviction.</b> When free cells are short, whole idle sequences are evicted, the least recently used first.
 *     Reservations make sure that this suffices.
 * </ol>
 * A cancelled request is gone at once, wherever it stands; what its sequence holds stays as a cache. Requests for
 * embeddings go the same way, reuse nothing and leave nothing.
 */
final class Scheduler {

    /** Images of one request that are encoded or being encoded before they are decoded. */
    static final int ENCODE_AHEAD = 2;
    /** Cells that must be gained by waiting for another prompt: fewer are evaluated sooner than waited for. */
    static final int WORTH_WAITING = 32;

    /**
     * How far a request is whose prompt is known and not evaluated.
     *
     * @param image that is being encoded; null in other phases
     * @param cached of tokens, in the cache when it began
     * @param evaluated of tokens, in the cache
     */
    record Progress(
            String request,
            GenerationEvent.Phase phase,
            PromptUnit.Image image,
            int cached,
            int evaluated,
            int tokens) {}

    private final Effects effects;
    private final Window window;
    private final KvCache cache;
    private final PromptCache prompts;
    private final int sequenceCells;
    private final int batchSize;
    private final int draftTokens;
    private final boolean wholePrompts;
    private final Map<String, Request> requests = new HashMap<>();
    private final List<Request> waiting = new ArrayList<>();
    private final List<Request> running = new ArrayList<>();
    private final FairShare fairShare = new FairShare();
    private long steps;
    private long restores;
    private int longestSequence;
    /** False once the model's memory refused to keep a prefix and forget the rest (recurrent models). */
    private boolean cutsPrefixes = true;

    /**
     * @param sequences requests that run at once
     * @param contextSize cells of the KV cache that they share
     * @param sequenceCells of these, how many a request may have, 2 or more
     * @param batchSize tokens of one step at most; more than sequences, so that prompts always get on
     * @param promptCacheBytes of prompts that are kept beyond the sequences
     * @param draftTokens that one step drafts at most; 0 for a model whose memory cannot be cut
     * @param wholePrompts whether a prompt must be evaluated in one step, and nothing is generated after it
     */
    Scheduler(
            Effects effects,
            int sequences,
            int contextSize,
            int sequenceCells,
            int batchSize,
            long promptCacheBytes,
            int draftTokens,
            boolean wholePrompts) {
        if (sequences < 1
                || batchSize <= sequences
                || contextSize < 2 * sequences
                || sequenceCells < 2
                || sequenceCells > contextSize
                || draftTokens < 0) {
            throw new IllegalArgumentException("needs 1 <= sequences < batchSize, 2 * sequences <= contextSize,"
                    + " 2 <= sequenceCells <= contextSize and 0 <= draftTokens, got " + sequences + ", " + batchSize
                    + ", " + contextSize + ", " + sequenceCells + ", " + draftTokens);
        }
        this.effects = effects;
        this.window = new Window(effects);
        this.cache = new KvCache(sequences, contextSize);
        this.prompts = new PromptCache(effects, promptCacheBytes);
        this.sequenceCells = sequenceCells;
        this.batchSize = batchSize;
        this.draftTokens = draftTokens;
        this.wholePrompts = wholePrompts;
    }

    // ---- events ----

    /**
     * @param maxTokens 0 for as many as the context holds
     * @param reuse whether a cached prefix may be used
     * @param keeps whether what its sequence holds at the end is kept for later requests
     * @param client whose fair share it counts for
     */
    void submitted(String id, int maxTokens, boolean reuse, boolean keeps, String client) {
        if (requests.putIfAbsent(id, new Request(id, maxTokens, reuse, keeps, client)) != null) {
            throw new IllegalArgumentException("request id is in use");
        }
        effects.prepare(id);
    }

    void prepared(String id, Prompt prompt) {
        Request r = requests.get(id);
        if (r == null) {
            return;
        }
        r.prompt = prompt;
        Optional<PromptException> tooLong = tooLong(prompt);
        if (tooLong.isPresent()) {
            fail(r, EngineException.of(tooLong.get()));
            return;
        }
        Optional<PromptUnit.Image> tooLarge = imageTooLarge(prompt);
        if (tooLarge.isPresent()) {
            fail(
                    r,
                    EngineException.of(
                            new PromptException.ImageTooLarge(tooLarge.get().cells(), mostAtOnce())));
            return;
        }
        if (sequenceCells < cache.capacity()) {
            r.generateAtMost(sequenceCells - prompt.tokens());
        }
        r.status = Request.Status.WAITING;
        fairShare.arrived(r);
        waiting.add(r);
    }

    private Optional<PromptException> tooLong(Prompt prompt) {
        int tokens = prompt.tokens();
        if (wholePrompts) {
            int most = Math.min(batchSize, sequenceCells);
            return tokens > most
                    ? Optional.of(PromptException.ContextLengthExceeded.atOnce(tokens, most))
                    : Optional.empty();
        }
        return tokens >= sequenceCells
                ? Optional.of(new PromptException.ContextLengthExceeded(tokens, sequenceCells))
                : Optional.empty();
    }

    /** An image that must be decoded at once needs a batch that holds it beside the generations. */
    private Optional<PromptUnit.Image> imageTooLarge(Prompt prompt) {
        return prompt.units().stream()
                .filter(PromptUnit.Image.class::isInstance)
                .map(PromptUnit.Image.class::cast)
                .filter(image -> !image.divisible() && image.cells() > mostAtOnce())
                .findFirst();
    }

    private int mostAtOnce() {
        return batchSize - cache.sequences();
    }

    /**
     * A prefix of a request's prompt was read from a file.
     *
     * @param units of it; 0 when there is none after all
     */
    void prefixRead(String id, int units) {
        Request r = requests.get(id);
        if (r != null) {
            r.file = units == 0 ? Request.File.NONE : Request.File.READ;
            r.fileUnits = units;
        }
    }

    /** The embeddings of this image are there for every request that asked for them. */
    void encoded(String image) {
        for (Request r : running) {
            r.images.replaceAll((unit, ready) -> ready || r.asksFor(unit, image));
        }
    }

    void encodingFailed(String image, EngineException failure) {
        for (Request r : List.copyOf(running)) {
            if (r.waitsFor(image)) {
                fail(r, failure);
            }
        }
    }

    /** Unknown ids are ignored. */
    void cancelled(String id) {
        failed(id, new EngineException.Cancelled());
    }

    /** Unknown ids are ignored: the request may have ended since. */
    void failed(String id, EngineException failure) {
        Request r = requests.get(id);
        if (r != null) {
            fail(r, failure);
        }
    }

    void decoded(Step.TokenRun run) {
        Request r = requests.get(run.request());
        for (int token : run.tokens()) {
            cache.append(r.sequence, new PromptUnit.Text(token));
        }
        longestSequence = Math.max(longestSequence, cache.cells(r.sequence));
        if (r.status == Request.Status.PREFILL) {
            r.nextUnit += run.tokens().length;
            promptAdvanced(r);
        } else {
            r.drafted(run);
        }
    }

    void decoded(Step.ImageSlice slice) {
        Request r = requests.get(slice.request());
        r.lastImageStep = steps;
        r.imageCells += slice.count();
        cache.appendPartial(r.sequence, slice.count());
        if (slice.last()) {
            cache.completeImage(r.sequence, slice.image());
            r.images.remove(r.nextUnit);
            r.imageCells = 0;
            r.nextUnit++;
            if (r.keeps && r.nextUnit == r.prompt.unitsWithImages()) {
                effects.keepPrefix(r.id, r.sequence, r.prompt.prefix(r.nextUnit));
            }
            promptAdvanced(r);
        }
    }

    private void promptAdvanced(Request r) {
        if (r.promptIsDone()) {
            r.status = Request.Status.DECODE;
            if (draftTokens > 0 && r.maxTokens != 1) {
                r.speculate(sequenceCells);
            }
            effects.accepted(r.id, r.prompt, r.cachedTokens);
        }
    }

    /**
     * The token sampled from logits that the step asked for.
     *
     * @return whether the logits of the token after it are there too, because it was drafted: then that is sampled next
     */
    boolean sampled(String id, Effects.Sampled sampled) {
        Request r = requests.get(id);
        r.sampled(sampled.token());
        FinishReason reason =
                sampled.ends() == null && r.generated == r.maxTokens ? FinishReason.LENGTH : sampled.ends();
        if (reason == null && r.tokenWasDrafted()) {
            r.unverified--;
            return true;
        }
        if (r.draftLength() > 0) {
            int drafted = r.draftLength();
            effects.drafted(id, drafted, r.endDraft());
        }
        if (reason != null) {
            finish(r, reason);
        } else if (r.unverified > 0 && !removeTail(r)) {
            throw new IllegalStateException("the model's memory kept a draft that was refused");
        }
        return false;
    }

    /**
     * Removes from a request's sequence a draft that was refused, and a part of an image.
     *
     * @return false when the model's memory cannot be cut
     */
    private boolean removeTail(Request r) {
        if (!effects.remove(r.sequence, cache.position(r.sequence) - r.unverified, -1)) {
            return false;
        }
        cache.truncate(r.sequence, cache.length(r.sequence) - r.unverified);
        r.unverified = 0;
        return true;
    }

    /**
     * The KV cache had no room for these requests' part of a step, and nothing of it was decoded: gives up all idle
     * sequences, or the newest of the requests when there is nothing else.
     */
    void outOfCells(List<String> ids) {
        if (cache.evictable().isPresent()) {
            makeRoom(cache.capacity());
            return;
        }
        for (int i = running.size() - 1; i >= 0; i--) {
            if (ids.contains(running.get(i).id)) {
                Request r = running.get(i);
                fail(r, new EngineException.OutOfCells());
                clear(r.sequence);
                return;
            }
        }
    }

    /** A decode of these requests failed half-way: what their sequences hold is unknown. */
    void decodeFailed(List<String> ids, EngineException failure) {
        for (String id : ids) {
            Request r = requests.get(id);
            if (r != null) {
                fail(r, failure);
                clear(r.sequence);
            }
        }
    }

    /** Ends every request. */
    void failAll(EngineException failure) {
        for (Request r : List.copyOf(requests.values())) {
            fail(r, failure);
        }
    }

    // ---- the next step ----

    /** The next step; empty when there is nothing to do until something happens. */
    Step schedule() {
        steps++;
        int growing = endWhatCannotGrow();
        admit(growing);
        running.forEach(this::askForImages);
        int spare = cache.capacity() - cache.activeCells() - outstanding() - growing;
        Step step =
                new StepBuilder(cache, batchSize, cutsPrefixes ? draftTokens : 0, wholePrompts).build(running, spare);
        makeRoom(step.cells());
        return step;
    }

    /** Ends the newest generations that grow beyond their reservations until there is a cell for each of the others. */
    private int endWhatCannotGrow() {
        while (true) {
            int growing = 0;
            Request newest = null;
            for (Request r : running) {
                if (r.status == Request.Status.DECODE && cache.cells(r.sequence) >= r.reserved) {
                    growing++;
                    newest = r;
                }
            }
            if (fits(growing)) {
                return growing;
            }
            finish(newest, FinishReason.LENGTH);
        }
    }

    /** @param growing cells that this step takes beyond all reservations */
    private void admit(int growing) {
        List<Request> candidates = new ArrayList<>(waiting);
        while (running.size() < cache.sequences() && !candidates.isEmpty()) {
            Request r = fairShare.next(candidates, running);
            SequenceSelection selection = SequenceSelection.of(r, cache, cutsPrefixes, window);
            candidates.remove(r);
            Optional<PromptCache.Match> kept = r.reuse
                    ? prompts.find(r.prompt, selection.cells() + WORTH_WAITING, cutsPrefixes)
                    : Optional.empty();
            int reusable = kept.map(PromptCache.Match::cells).orElse(selection.cells());
            int reserved = reservation(r);
            boolean fromFile = r.file == Request.File.READ && r.prompt.cells(r.fileUnits) >= reusable + WORTH_WAITING;
            if (!fromFile
                    && (running.stream().anyMatch(other -> comingPrefix(r, other) >= reusable + WORTH_WAITING)
                            || waitsForFile(r, reusable))) {
                continue;
            }
            if (fromFile && !fits(growing + reserved)) {
                return;
            }
            if (fromFile
                    || kept.isPresent()
                            && fits(growing
                                    + Math.max(reserved, kept.get().prompt().tokens()))) {
                OptionalInt target = fromFile ? restore(r) : restore(kept.get());
                if (target.isEmpty()) {
                    admit(growing);
                    return;
                }
                admit(r, target.getAsInt(), reserved);
                continue;
            }
            int needed = cache.inactiveCells(selection.source(), selection.units()) + reserved - selection.cells();
            if (!fits(growing + needed)) {
                return;
            }
            if (!take(selection)) {
                cutsPrefixes = false;
                admit(growing);
                return;
            }
            admit(r, selection.target(), reserved);
        }
    }

    /** @param reusable cells that the caches have of the prompt */
    private boolean waitsForFile(Request r, int reusable) {
        boolean mayHaveMore = r.reuse
                && r.file == Request.File.UNKNOWN
                && r.prompt.cells(r.prompt.unitsWithImages()) >= reusable + WORTH_WAITING;
        if (!mayHaveMore) {
            return r.file == Request.File.READING;
        }
        if (waiting.stream().anyMatch(other -> other.file == Request.File.READING || other.file == Request.File.READ)) {
            return true;
        }
        boolean reads = effects.readPrefix(r.id, r.prompt, reusable + WORTH_WAITING);
        r.file = reads ? Request.File.READING : Request.File.NONE;
        return reads;
    }

    /**
     * Puts the prefix that was read for a request into an idle sequence.
     *
     * @return empty when that failed; some idle sequences are empty then
     */
    private OptionalInt restore(Request r) {
        int target = cache.leastRecentlyUsed(-1).orElseThrow();
        Prompt prefix = r.prompt.prefix(r.fileUnits);
        evict(target);
        makeRoom(prefix.tokens());
        r.file = Request.File.NONE;
        if (!effects.restorePrefix(r.id, target)) {
            return OptionalInt.empty();
        }
        cache.fill(target, prefix);
        return OptionalInt.of(target);
    }

    private void admit(Request r, int sequence, int reserved) {
        waiting.remove(r);
        fairShare.admitted(r, waiting);
        start(r, sequence, reserved);
    }

    /** Whether there are so many cells beside those that running requests hold and have reserved. */
    private boolean fits(int cells) {
        return cache.activeCells() + outstanding() + cells <= cache.capacity();
    }

    /**
     * Puts the common prefix into an idle sequence.
     *
     * @return empty when that failed; some idle sequences are empty then
     */
    private OptionalInt restore(PromptCache.Match kept) {
        int target = cache.leastRecentlyUsed(-1).orElseThrow();
        Runnable room = () -> {
            evict(target);
            makeRoom(kept.prompt().tokens());
        };
        if (!prompts.restore(kept, target, room)) {
            return OptionalInt.empty();
        }
        cache.fill(target, kept.prompt());
        cache.truncate(target, kept.units());
        if (!effects.remove(target, cache.position(target), -1)) {
            clear(target);
            cutsPrefixes = false;
            return OptionalInt.empty();
        }
        restores++;
        return OptionalInt.of(target);
    }

    /** Cells that a request will be able to reuse of a running one's prompt once that is evaluated. */
    private int comingPrefix(Request r, Request other) {
        if (!cutsPrefixes || other.status != Request.Status.PREFILL || !other.keeps || !r.reuse) {
            return 0;
        }
        int units = Math.min(r.prompt.common(other.prompt), r.prompt.units().size() - 1);
        return window.holds(other.prompt, units) ? r.prompt.cells(units) : 0;
    }

    private int reservation(Request r) {
        if (wholePrompts) {
            return r.prompt.tokens();
        }
        int share = cache.capacity() / cache.sequences();
        long usable = r.maxTokens == 0 ? Long.MAX_VALUE : (long) r.prompt.tokens() + r.maxTokens;
        return (int) Math.min(usable, Math.max(r.prompt.tokens() + 1, share));
    }

    /** Cells reserved by running requests and not used yet. */
    private int outstanding() {
        int cells = 0;
        for (Request r : running) {
            cells += Math.max(0, r.reserved - cache.cells(r.sequence));
        }
        return cells;
    }

    /**
     * Makes the target hold exactly the reused prefix.
     *
     * @return false when the model's memory cannot be cut
     */
    private boolean take(SequenceSelection selection) {
        int target = selection.target();
        if (selection.source() == target) {
            if (2 * selection.cells() < cache.cells(target)) {
                keep(target);
            }
            cache.truncate(target, selection.units());
        } else {
            evict(target);
            if (selection.units() > 0) {
                effects.copy(selection.source(), target, 0, selection.positions());
                cache.share(selection.source(), target, selection.units());
            }
        }
        boolean cut = effects.remove(target, selection.positions(), -1);
        if (!cut) {
            clear(target);
        }
        return cut;
    }

    private void start(Request r, int sequence, int reserved) {
        cache.activate(sequence, r.prompt.salt());
        r.sequence = sequence;
        r.nextUnit = cache.length(sequence);
        r.cachedTokens = cache.cells(sequence);
        r.reserved = reserved;
        r.status = Request.Status.PREFILL;
        running.add(r);
        effects.admitted(r.id, r.prompt, r.cachedTokens);
    }

    private void askForImages(Request r) {
        if (r.status != Request.Status.PREFILL) {
            return;
        }
        int ahead = 0;
        for (int i = r.nextUnit; i < r.prompt.units().size() && ahead < ENCODE_AHEAD; i++) {
            if (r.prompt.units().get(i) instanceof PromptUnit.Image image) {
                ahead++;
                if (!r.images.containsKey(i)) {
                    r.images.put(i, effects.encode(r.id, i, image));
                }
            }
        }
    }

    /** Evicts idle sequences until this many cells are free or no idle sequence is left. */
    private void makeRoom(int cells) {
        OptionalInt victim = cache.evictable();
        while (cache.capacity() - cache.used() < cells && victim.isPresent()) {
            evict(victim.getAsInt());
            victim = cache.evictable();
        }
    }

    /** Clears an idle sequence whose content may be asked for again. */
    private void evict(int sequence) {
        keep(sequence);
        clear(sequence);
    }

    private void keep(int sequence) {
        if (cache.cells(sequence) > 0) {
            prompts.keep(sequence, cache.content(sequence), cutsPrefixes);
        }
    }

    private void clear(int sequence) {
        effects.remove(sequence, 0, -1);
        cache.truncate(sequence, 0);
    }

    private void finish(Request r, FinishReason reason) {
        release(r);
        effects.finished(r.id, reason);
    }

    private void fail(Request r, EngineException failure) {
        release(r);
        effects.failed(r.id, failure);
    }

    private void release(Request r) {
        requests.remove(r.id);
        waiting.remove(r);
        if (running.remove(r)) {
            // A part of an image is never reused, and a draft that nobody sampled is no answer.
            if (r.imageCells + r.unverified > 0 && !(removeTail(r) && goesOn(r.sequence))) {
                clear(r.sequence);
            }
            cache.deactivate(r.sequence);
            if (!r.keeps) {
                clear(r.sequence);
            }
        }
    }

    /** Whether a sequence can go on at its end, which lay further behind before. */
    private boolean goesOn(int sequence) {
        return window.reaches(sequence, cache.position(sequence));
    }

    // ---- gauges ----

    /** Whether no request is in flight. */
    boolean isEmpty() {
        return requests.isEmpty();
    }

    /** How far the requests are whose first token does not come next. */
    List<Progress> progress() {
        List<Progress> all = new ArrayList<>();
        for (Request r : waiting) {
            all.add(r.progress(GenerationEvent.Phase.QUEUED));
        }
        for (Request r : running) {
            if (r.status == Request.Status.PREFILL) {
                all.add(r.progress(r.waitsForImage() ? GenerationEvent.Phase.ENCODING : GenerationEvent.Phase.PROMPT));
            }
        }
        return all;
    }

    /** What the sequences do, in order. */
    List<SlotState> slots() {
        List<SlotState> slots = new ArrayList<>();
        for (int i = 0; i < cache.sequences(); i++) {
            slots.add(SlotState.idle(cache.cells(i)));
        }
        running.forEach(r -> slots.set(r.sequence, r.slot(cache.cells(r.sequence))));
        return slots;
    }

    /** Requests being prepared or waiting for a sequence. */
    int waiting() {
        return requests.size() - running.size();
    }

    int running() {
        return running.size();
    }

    /** Cells of the longest sequence so far. */
    int longestSequence() {
        return longestSequence;
    }

    /** Prompts whose beginning was taken from {@link PromptCache} so far. */
    long restores() {
        return restores;
    }

    /** Bytes that prompts beyond the sequences take. */
    long promptCacheBytes() {
        return prompts.bytes();
    }

    /** Of these, how many went for others so far. */
    long promptCacheEvictions() {
        return prompts.evictions();
    }

    /** Cells of the KV cache that hold something, idle sequences included. */
    int cellsUsed() {
        return cache.used();
    }

    int cells() {
        return cache.capacity();
    }
}
