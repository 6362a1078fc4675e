package dev.luq.openai.generation;

import java.util.function.UnaryOperator;

/** A request to one of the models. */
public interface Addressed {

    /** Id or alias of the model; null or empty for the default one. */
    String model();

    /**
     * What the endpoint calls the fields that errors name, such as {@code messages[2].content}, where it made a request
     * of another form of its own. It outlives the request and holds nothing of it.
     */
    default UnaryOperator<String> fields() {
        return UnaryOperator.identity();
    }

    /** The same of a request whose prompt or conversation is in one field. */
    static UnaryOperator<String> inputIn(String field) {
        return name -> name.equals("messages") || name.equals("prompt") ? field : name;
    }
}
