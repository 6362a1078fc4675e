package dev.luq.requant.pipeline;

import dev.luq.machine.KvType;
import dev.luq.requant.feed.FeedCache;
import dev.luq.requant.feed.FeedOptions;
import dev.luq.requant.feed.Feeder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Instances of one model that are fed side by side. A small model gets more from them than from threads of its graph. */
record FeederPool(List<Feeder> lanes) implements AutoCloseable {

    /** Tokens of an example with its answer at most. */
    static final int CONTEXT = 4096;

    static final int BATCH = 256;

    /**
     * @param imageTokens of an image at most; 0: the model's own bound
     * @param chatTemplate in place of the model's own
     * @param kv number format of the KV cache
     * @param cache of all models with this projector, bound of images and vocabulary; not closed by them
     */
    static FeederPool open(
            List<Path> model,
            Optional<Path> mmproj,
            int imageTokens,
            Optional<String> chatTemplate,
            KvType kv,
            Threads threads,
            FeedCache cache) {
        List<Feeder> lanes = new ArrayList<>();
        FeederPool feeders = new FeederPool(lanes);
        try {
            for (int i = 0; i < threads.lanes(); i++) {
                lanes.add(Feeder.open(
                        model,
                        mmproj,
                        new FeedOptions(
                                CONTEXT,
                                BATCH,
                                threads.graph(),
                                imageTokens,
                                chatTemplate,
                                kv,
                                FeedOptions.Outputs.ANSWER,
                                Optional.empty()),
                        cache));
            }
            return feeders;
        } catch (RuntimeException e) {
            feeders.close();
            throw e;
        }
    }

    @Override
    public void close() {
        lanes.forEach(Feeder::close);
    }
}
