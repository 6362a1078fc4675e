package dev.luq.serving;

/** Told when models come, change and go; every CDI bean of this type is called. Implementations return at once. */
public interface ModelListener {

    /** A model is in the catalogue. Its worker is the same object as long as it is. */
    void added(ModelWorker worker);

    /** Other files are served under this id from now on. */
    void changed(ModelWorker worker);

    /** A model is no longer in the catalogue. */
    void removed(String modelId);
}
