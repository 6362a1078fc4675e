package dev.luq.catalog;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A re-quantized form of a model that can be served in place of its base files.
 *
 * @param id of its manifest in the store
 * @param model id of the model that it was made of, at the time
 * @param files the split GGUF in order; absolute paths
 * @param mmproj the projector that belongs to it, absolute; empty when it has the base's or none
 * @param budget what was asked for, such as {@code 60%}
 * @param lowLayers indices of the layers that have fewer bits than most
 * @param quality what was measured on these files; empty when nothing was
 */
public record Variant(String id, String model, List<Path> files, Optional<Path> mmproj, Optional<String> budget,
        List<Integer> lowLayers, Map<String, Object> quality) {

    public Variant {
        files = List.copyOf(files);
        lowLayers = List.copyOf(lowLayers);
        quality = Map.copyOf(quality);
    }
}
