package dev.luq.engine;

import dev.luq.filecache.CachedFiles;

/**
 * Where an engine keeps what later ones find again.
 *
 * @param images embeddings of images; null to keep none
 * @param prompts keys and values of prompts with images; null to keep none
 */
public record EngineFiles(CachedFiles images, CachedFiles prompts) {

    /** Nothing is kept. */
    public static final EngineFiles NONE = new EngineFiles(null, null);
}
