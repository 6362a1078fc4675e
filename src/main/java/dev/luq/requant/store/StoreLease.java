package dev.luq.requant.store;

/**
 * Keeps files of the store from being collected until it is closed or its process ends, however it ends. Closing twice
 * does nothing.
 */
public interface StoreLease extends AutoCloseable {

    @Override
    void close();
}
