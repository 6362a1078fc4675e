package dev.luq.prompt;

import dev.luq.llama.ImageChunk;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * An image of a prompt, preprocessed for the encoder. Its pixels as the encoder takes them are several times those of the
 * picture, so that they may be given up and made again. For one thread at a time.
 */
public final class PreparedImage implements AutoCloseable {

    private ImageChunk chunk;
    /** Makes it again; null when nobody will ask for that. */
    private Supplier<ImageChunk> again;

    private boolean givenUp;
    /** Where the permit for the pixels came from; null without one. */
    private Semaphore permits;

    /**
     * @param chunk with its pixels; ownership passes to this object
     * @param again makes an equal one, on any thread
     */
    PreparedImage(ImageChunk chunk, Supplier<ImageChunk> again) {
        this.chunk = chunk;
        this.again = again;
    }

    /** Keeps the pixels until the end if there is a permit left, and gives them up otherwise. Called once at most. */
    public void keepWith(Semaphore ofAll) {
        if (ofAll.tryAcquire()) {
            permits = ofAll;
            again = null;
        } else {
            giveUp();
        }
    }

    /** Gives the pixels up. Called once at most. */
    void giveUp() {
        replace(chunk.withoutPixels());
        givenUp = true;
    }

    /** With or without its pixels. Valid until the next call. */
    public ImageChunk chunk() {
        return chunk;
    }

    /**
     * With its pixels, which are made where they were given up. Valid until it is closed.
     *
     * @throws PromptException.InvalidImage it cannot be made any more
     */
    public ImageChunk withPixels() {
        if (givenUp) {
            replace(again.get());
            givenUp = false;
        }
        return chunk;
    }

    private void replace(ImageChunk by) {
        chunk.close();
        chunk = by;
    }

    @Override
    public void close() {
        chunk.close();
        again = null;
        if (permits != null) {
            permits.release();
            permits = null;
        }
    }
}
