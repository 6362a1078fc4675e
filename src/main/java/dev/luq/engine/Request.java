package dev.luq.engine;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptUnit;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** A request as {@link Scheduler} sees it. */
final class Request {

    enum Status {
        PREPARING,
        WAITING,
        PREFILL,
        DECODE
    }

    /** Whether a prefix of the prompt was kept in a file. */
    enum File {
        UNKNOWN,
        READING,
        READ,
        NONE
    }

    final String id;
    /** Tokens to generate at most; 0 for as many as the context holds. */
    int maxTokens;
    /** Whether a cached prefix may be used. */
    final boolean reuse;
    /** Whether what its sequence holds at the end is kept for later requests. */
    final boolean keeps;
    /** Who it is for; not null. */
    final String client;
    /** When it began to wait, as {@link FairShare} counts. */
    long arrived;

    Status status = Status.PREPARING;
    /** Null while preparing. */
    Prompt prompt;

    File file = File.UNKNOWN;
    /** Units of the prefix that is {@link File#READ}. */
    int fileUnits;

    /** From here on set while running. */
    int sequence;

    int cachedTokens;
    /** Cells that are kept for this request, those that it has used included. */
    int reserved;
    /** Unit of the prompt to decode next, and how much of it is decoded if it is an image. */
    int nextUnit;

    int imageCells;
    /** Images asked for, by unit, and whether their embeddings are there. */
    final Map<Integer, Boolean> images = new TreeMap<>();
    /** Step that decoded a slice of an image last. */
    long lastImageStep;
    /** Token to decode next, once generating. */
    int token;

    int generated;
    /** Null where nothing is drafted. */
    private Speculation speculation;
    /**
     * Tokens that were drafted for the latest step, and how many of the last are in the sequence without being
     * sampled yet.
     */
    private int[] draft = {};

    int unverified;

    Request(String id, int maxTokens, boolean reuse, boolean keeps, String client) {
        this.id = id;
        this.client = client;
        this.maxTokens = maxTokens;
        this.reuse = reuse;
        this.keeps = keeps;
    }

    /** @param tokens 1 or more */
    void generateAtMost(int tokens) {
        maxTokens = maxTokens == 0 ? tokens : Math.min(maxTokens, tokens);
    }

    /** Drafts from now on, after the whole prompt. */
    void speculate(int contextSize) {
        speculation = new Speculation(prompt, contextSize);
    }

    /** @return tokens that may come after {@link #token}, at most so many */
    int[] draft(int most) {
        if (speculation == null) {
            return new int[0];
        }
        return speculation.draft(maxTokens == 0 ? most : Math.min(most, maxTokens - generated - 1));
    }

    /** A run with a draft was decoded. */
    void drafted(Step.TokenRun run) {
        draft = Arrays.copyOfRange(run.tokens(), run.tokens().length - run.drafted(), run.tokens().length);
        unverified = draft.length;
    }

    void sampled(int newToken) {
        token = newToken;
        generated++;
        if (speculation != null) {
            speculation.append(newToken);
        }
    }

    /** Whether the latest token was drafted, so that it is in the sequence already. */
    boolean tokenWasDrafted() {
        return unverified > 0 && draft[draft.length - unverified] == token;
    }

    /**
     * The latest draft is sampled as far as it goes.
     *
     * @return how many of its tokens were right
     */
    int endDraft() {
        int right = draft.length - unverified;
        speculation.verified(draft.length, right);
        draft = new int[0];
        return right;
    }

    int draftLength() {
        return draft.length;
    }

    private PromptUnit unit(int index) {
        return prompt.units().get(index);
    }

    boolean promptIsDone() {
        return nextUnit == prompt.units().size();
    }

    boolean asksFor(int unit, String image) {
        return ((PromptUnit.Image) unit(unit)).id().equals(image);
    }

    boolean waitsFor(String image) {
        return images.entrySet().stream().anyMatch(e -> !e.getValue() && asksFor(e.getKey(), image));
    }

    /** The image that comes next. */
    PromptUnit.Image image() {
        return (PromptUnit.Image) unit(nextUnit);
    }

    /** Whether an image comes next and its embeddings are there. */
    boolean imageIsReady() {
        return status == Status.PREFILL && images.getOrDefault(nextUnit, false);
    }

    /** Whether an image comes next and its embeddings are not there. */
    boolean waitsForImage() {
        return unit(nextUnit) instanceof PromptUnit.Image && !imageIsReady();
    }

    Scheduler.Progress progress(GenerationEvent.Phase phase) {
        return new Scheduler.Progress(
                id,
                phase,
                phase == GenerationEvent.Phase.ENCODING ? image() : null,
                cachedTokens,
                prompt.cells(nextUnit) + imageCells,
                prompt.tokens());
    }

    /** @param cells that its sequence fills */
    SlotState slot(int cells) {
        return new SlotState(
                id, cells, prompt.tokens(), cachedTokens, prompt.cells(nextUnit) + imageCells, generated, maxTokens);
    }

    /** Cells of the prompt that could be decoded in one batch now, counted up to a limit. */
    int decodable(int limit) {
        if (status != Status.PREFILL) {
            return 0;
        }
        if (unit(nextUnit) instanceof PromptUnit.Image image) {
            return imageIsReady() ? Math.min(limit, image.cells() - imageCells) : 0;
        }
        int n = 0;
        while (n < limit && nextUnit + n < prompt.units().size() && unit(nextUnit + n) instanceof PromptUnit.Text) {
            n++;
        }
        return n;
    }

    /** The latest token, and tokens that may follow it. */
    Step.TokenRun decodeRun(int position, int[] drafted) {
        int[] tokens = new int[1 + drafted.length];
        tokens[0] = token;
        System.arraycopy(drafted, 0, tokens, 1, drafted.length);
        return new Step.TokenRun(id, sequence, position, tokens, tokens.length);
    }

    Step.TokenRun textRun(int count, int position) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = ((PromptUnit.Text) unit(nextUnit + i)).token();
        }
        return new Step.TokenRun(
                id,
                sequence,
                position,
                tokens,
                nextUnit + count == prompt.units().size() ? 1 : 0);
    }

    Step.ImageSlice imageSlice(int count, int position) {
        PromptUnit.Image image = image();
        boolean last = imageCells + count == image.cells();
        return new Step.ImageSlice(
                id,
                sequence,
                nextUnit,
                image,
                imageCells,
                count,
                position,
                last,
                last && nextUnit == prompt.units().size() - 1);
    }
}
