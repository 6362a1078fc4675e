package dev.luq.openai.generation;

/** A request to one of the models. */
public interface Addressed {

    /** Id or alias of the model; null or empty for the default one. */
    String model();

    /**
     * What the endpoint calls a field, where it made a request of another form of its own.
     *
     * @param name the field that an error names, such as {@code messages[2].content}
     */
    default String field(String name) {
        return name;
    }
}
