package dev.luq.requant.store;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files of a manifest.
 *
 * @param splits of the language model, in order
 * @param mmproj the projector; empty where the manifest names none
 */
public record StoredModel(List<Path> splits, Optional<Path> mmproj) {

    public StoredModel {
        splits = List.copyOf(splits);
    }
}
