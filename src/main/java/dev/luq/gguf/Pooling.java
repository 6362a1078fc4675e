package dev.luq.gguf;

/** How the vectors of a text's tokens become its embedding: {@code llama_pooling_type} of llama.cpp. */
public enum Pooling {
    /** Not at all: the model makes no embeddings. */
    NONE,
    /** It is their mean. */
    MEAN,
    /** It is the first one, of a token that stands for the text in models that attend in both directions. */
    CLS,
    /** It is the last one. */
    LAST;

    /** Key of a model's file, behind the name of its architecture. */
    static final String KEY = ".pooling_type";

    /** @return {@link #NONE} for other numbers too: 4, rank, scores pairs of texts and makes no embeddings */
    static Pooling ofNumber(long number) {
        return number > 0 && number < values().length ? values()[(int) number] : NONE;
    }
}
