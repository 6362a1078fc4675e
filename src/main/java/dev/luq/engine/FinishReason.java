package dev.luq.engine;

import java.util.Locale;

/** Why a generation ended well; the names are those of the OpenAI API in lower case. */
public enum FinishReason {
    /** The model ended its answer, or a stop string came. */
    STOP,
    /** The request's maximum is reached, or the context is full. */
    LENGTH,
    /** The model called at least one tool. */
    TOOL_CALLS;

    /** As in the API: {@code stop}, {@code length}, {@code tool_calls}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
