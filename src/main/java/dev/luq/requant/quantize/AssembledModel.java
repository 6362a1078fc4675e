package dev.luq.requant.quantize;

import dev.luq.requant.store.Manifest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A plan's model, complete in the store.
 *
 * @param splits files of the language model in order
 * @param mmproj the projector: from the store, or the base model's own where the plan keeps it
 * @param entries for a manifest, in the order of the splits
 * @param mmprojEntry for a manifest; empty where the base model's projector is kept
 * @param quantizedWeights weights that the store lacked
 */
public record AssembledModel(
        List<Path> splits,
        Optional<Path> mmproj,
        List<Manifest.Entry> entries,
        Optional<Manifest.Entry> mmprojEntry,
        long quantizedWeights) {

    public AssembledModel {
        splits = List.copyOf(splits);
        entries = List.copyOf(entries);
    }
}
