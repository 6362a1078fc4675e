package dev.luq.serving;

import java.time.Duration;

/** Told when models come, change and go; every CDI bean of this type is called. Implementations return at once. */
public interface ModelListener {

    /** A model is in the catalogue. Its worker is the same object as long as it is. */
    void added(ModelWorker worker);

    /** Other files are served under this id from now on. */
    void changed(ModelWorker worker);

    /** A model is no longer in the catalogue. */
    void removed(String modelId);

    /**
     * A process of the model serves that was started because none did.
     *
     * @param took since it got its memory
     */
    default void loaded(String modelId, Duration took) {}

    /**
     * The model's process is gone, and no other one is to serve it.
     *
     * @param reason {@code idle}, {@code evicted} or {@code admin}
     */
    default void unloaded(String modelId, String reason) {}
}
