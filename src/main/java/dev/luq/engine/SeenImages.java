package dev.luq.engine;

import dev.luq.filecache.CachedFiles;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Vision;
import java.util.Optional;

/** Images that an encoder has seen before, in this process or an earlier one. For one thread. */
record SeenImages(Vision vision, CachedFiles files) {

    /** Makes ready, which may take seconds. */
    void open() {
        files.open();
    }

    /** @return owned by the caller */
    Optional<ImageEmbedding> find(String image, ImageChunk chunk) {
        return vision.restore(chunk, floats -> files.read(image, floats));
    }

    /** @param embedding of finite numbers */
    void keep(String image, ImageEmbedding embedding) {
        files.write(image, embedding.bytesView());
    }
}
