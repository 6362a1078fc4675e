package dev.luq.gguf;

/** What the vectors of a text's tokens become: {@code llama_pooling_type} of llama.cpp. */
public enum Pooling {
    /** Nothing: the model makes no embeddings. */
    NONE,
    /** An embedding, their mean. */
    MEAN,
    /** An embedding, the first one, of a token that stands for the text in models that attend in both directions. */
    CLS,
    /** An embedding, the last one. */
    LAST,
    /** No embedding but a score, by the classification head of a model that reads a query and a document at once. */
    RANK;

    /** Key of a model's file, behind the name of its architecture. */
    public static final String KEY = ".pooling_type";

    /** @return {@link #NONE} for other numbers too */
    static Pooling ofNumber(long number) {
        return number > 0 && number < values().length ? values()[(int) number] : NONE;
    }
}
