package dev.luq.engine;

import dev.luq.filecache.CachedFiles;
import dev.luq.llama.ImageChunk;
import dev.luq.llama.ImageEmbedding;
import dev.luq.llama.Vision;
import java.util.Optional;

/** Images that an encoder has seen before, in this process or an earlier one. For one thread. */
interface SeenImages {

    /** Makes ready, which may take seconds. */
    void open();

    /** @return owned by the caller */
    Optional<ImageEmbedding> find(String image, ImageChunk chunk);

    /** @param embedding of finite numbers */
    void keep(String image, ImageEmbedding embedding);

    /** Those whose embeddings lie in files. */
    record InFiles(Vision vision, CachedFiles files) implements SeenImages {

        @Override
        public void open() {
            files.open();
        }

        @Override
        public Optional<ImageEmbedding> find(String image, ImageChunk chunk) {
            return vision.restore(chunk, floats -> files.read(image, floats));
        }

        @Override
        public void keep(String image, ImageEmbedding embedding) {
            files.write(image, embedding.bytesView());
        }
    }
}
