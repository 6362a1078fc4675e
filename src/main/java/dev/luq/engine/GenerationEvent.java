package dev.luq.engine;

import java.util.List;

/**
 * What happens to a request, in the order {@code Progress* Accepted Delta* (Finished | Failed)}, or {@code Progress*
 * Failed}. Where an embedding is asked for, {@code Embedded} stands for the deltas. A cancelled
 * request ends with {@code Failed} whose code is {@code cancelled}.
 */
public sealed interface GenerationEvent {

    /** The request's id. */
    String id();

    /**
     * The request is valid and its first token still takes a while. Said once a second.
     *
     * @param share of what the phase does that is done, 0..1; 0 while queued
     * @param cachedTokens of the prompt, those taken from the cache
     * @param evaluatedTokens of the prompt, those that are done, cached ones included
     * @param promptTokens text and image tokens of the prompt
     */
    record Progress(String id, Phase phase, float share, int cachedTokens, int evaluatedTokens, int promptTokens)
            implements GenerationEvent {}

    /** What happens to a request before its first token. */
    enum Phase {
        /** It waits for a sequence. */
        QUEUED,
        /** It waits for an image that is being encoded. */
        ENCODING,
        /** Its prompt is being evaluated. */
        PROMPT
    }

    /**
     * The prompt is evaluated: the first token follows.
     *
     * @param promptTokens text and image tokens of the prompt
     * @param imageTokens of these, tokens of images
     * @param cachedTokens of promptTokens, those taken from the cache
     */
    record Accepted(String id, int promptTokens, int imageTokens, int cachedTokens) implements GenerationEvent {}

    /**
     * Generated text that is safe to show: complete characters, no part of a stop string.
     *
     * @param content text to append, or null
     * @param thought text to append to the thoughts, where they are told from the content, or null
     * @param toolCall a piece of a tool call, or null
     * @param logprobs one entry per token behind this delta when they were asked for, else null
     * @param tokens generated so far, those of this delta included
     */
    record Delta(String id, String content, String thought, ToolCall toolCall, List<TokenLogprob> logprobs, int tokens)
            implements GenerationEvent {}

    /**
     * The embedding of the prompt.
     *
     * @param vector as it is pooled, of any length
     */
    record Embedded(String id, float[] vector) implements GenerationEvent {}

    /**
     * The generation ended well.
     *
     * @param stop the request's stop string that ended it, or null
     */
    record Finished(String id, FinishReason reason, String stop, int completionTokens, Timings timings)
            implements GenerationEvent {}

    /**
     * The generation failed.
     *
     * @param code code of the serving contract, or {@code cancelled}
     * @param message for the client
     * @param param the request field at fault, or null
     * @param overflow null unless the prompt is too long
     */
    record Failed(String id, String code, String message, String param, Overflow overflow) implements GenerationEvent {}

    /**
     * By how much a prompt is too long.
     *
     * @param promptTokens its tokens, or as many as were counted
     * @param contextSize tokens that the context holds
     */
    record Overflow(int promptTokens, int contextSize) {}

    /**
     * One piece of the tool call with this index. The first piece of a call carries id and name, later ones null.
     *
     * @param argumentsDelta JSON text to append to the call's arguments
     */
    record ToolCall(int index, String id, String name, String argumentsDelta) {}

    /**
     * @param id the token's id
     * @param token the token's text, malformed UTF-8 replaced
     * @param logprob natural logarithm
     * @param bytes the token's bytes, each 0..255
     * @param top the likeliest tokens in this place, at most as many as asked for, without their own alternatives
     */
    record TokenLogprob(int id, String token, double logprob, List<Integer> bytes, List<TokenLogprob> top) {}

    /**
     * Where a request's time went, in milliseconds. Prefill includes image encoding.
     *
     * @param draftedTokens that were decoded before they were sampled
     * @param acceptedTokens of these, tokens of the answer
     */
    record Timings(
            double queueMillis,
            double prefillMillis,
            double decodeMillis,
            double imageEncodeMillis,
            int draftedTokens,
            int acceptedTokens) {}
}
