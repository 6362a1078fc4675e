package dev.luq.engine;

import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptUnit;
import java.util.List;

/**
 * What {@link Scheduler} makes happen outside of its own bookkeeping. All methods are called on the engine thread; those
 * that start work on another thread answer with an event.
 */
interface Effects {

    /** Starts to tokenize a request's prompt; answered by {@link Scheduler#prepared} or {@link Scheduler#failed}. */
    void prepare(String request);

    /**
     * A request got its sequence.
     *
     * @param cachedTokens of its prompt, tokens taken from the cache
     */
    void admitted(String request, Prompt prompt, int cachedTokens);

    /**
     * Makes an image's embeddings available to a request until the image's last slice is decoded or the request ends.
     *
     * @param unit index of the image in the request's prompt
     * @return true when they are there already; otherwise {@link Scheduler#encoded} or {@link Scheduler#encodingFailed}
     *         follows
     */
    boolean encode(String request, int unit, PromptUnit.Image image);

    /**
     * Removes a range of positions of a sequence from the KV cache.
     *
     * @param to exclusive, or -1 for the end
     * @return false when the model's memory cannot forget a part; nothing was removed then
     */
    boolean remove(int sequence, int from, int to);

    /**
     * Lets one sequence share the cells of another one's positions.
     *
     * @param to exclusive
     */
    void copy(int source, int target, int from, int to);

    /**
     * How many of the latest positions, its own among them, a token looks at in every layer: there are layers that look
     * at no more. {@link Integer#MAX_VALUE} where all look at all.
     */
    int window();

    /** The first position of a sequence that every layer holds; negative for an empty one. */
    int firstPosition(int sequence);

    /** Bytes that {@link #save} would take for a sequence. */
    long stateBytes(int sequence);

    /**
     * Keeps a copy of what a sequence holds under a number that is not in use.
     *
     * @return false when there is no memory
     */
    boolean save(int sequence, long id);

    /**
     * Puts such a copy into an empty sequence.
     *
     * @return false when that failed; the sequence is empty then
     */
    boolean restore(long id, int sequence);

    /** Gives up a copy. */
    void forget(long id);

    /**
     * Reads, for a request that waits for a sequence, the longest prefix of its prompt among those that were kept in files, of
     * which at least the last unit of the prompt is no part.
     *
     * @param cells that the prefix has at least
     * @return false when there is none; otherwise {@link Scheduler#prefixRead} follows
     */
    boolean readPrefix(String request, Prompt prompt, int cells);

    /**
     * Puts the prefix that was read for a request into an empty sequence.
     *
     * @return false when that failed; the sequence is empty then. In either case what was read is gone
     */
    boolean restorePrefix(String request, int sequence);

    /**
     * Keeps a copy of what a sequence holds in a file, if the request goes on to generate.
     *
     * @param prefix of the request's prompt, which ends with its last image: all that the sequence holds
     */
    void keepPrefix(String request, int sequence, Prompt prefix);

    /** Evaluates a batch of tokens. */
    void decode(List<Step.TokenRun> tokens);

    /** Evaluates a slice of an image. */
    void decode(Step.ImageSlice image);

    /** A request's prompt is evaluated, its first token follows. */
    void accepted(String request, Prompt prompt, int cachedTokens);

    /**
     * Chooses the next token of a request whose output was part of the latest decode, and streams its text. Where several
     * were, each call takes the next one.
     */
    Sampled sample(String request);

    /**
     * A draft of a request was compared with what was sampled.
     *
     * @param tokens of the draft
     * @param accepted how many of the first ones are part of the answer
     */
    void drafted(String request, int tokens, int accepted);

    /** Ends a request well and releases what it holds. */
    void finished(String request, FinishReason reason);

    /** Ends a request that failed and releases what it holds. */
    void failed(String request, EngineException failure);

    /**
     * A token.
     *
     * @param ends why the generation ends with it, or null when it goes on
     */
    record Sampled(int token, FinishReason ends) {}
}
