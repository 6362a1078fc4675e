package dev.luq.catalog;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model that the server was asked to serve.
 *
 * @param id its name in the API
 * @param aliases further names
 * @param files the GGUF, or the parts of a split one in order; absolute paths
 * @param mmproj the vision projector's GGUF, absolute; empty for a text-only model
 * @param created when the model's file was last modified, in seconds since 1970; 0 when it cannot be read
 * @param facts what the files say; empty when they cannot be used
 * @param problem why the model cannot be served, without paths; empty when its files are in order
 */
public record CatalogEntry(String id, List<String> aliases, List<Path> files, Optional<Path> mmproj, long created,
        Optional<Facts> facts, Optional<String> problem) {

    /**
     * What a model's files say without being loaded.
     *
     * @param name general.name
     * @param architecture general.architecture, such as {@code qwen2vl}
     * @param quantization the file type's name, such as {@code Q4_K - Medium}
     * @param parameters number of weights, without the projector's
     * @param bytes bytes of the weights, without the projector's
     * @param mmprojBytes bytes of the projector's weights; 0 without a projector
     * @param bitsPerWeight bytes * 8 / parameters
     */
    public record Facts(Optional<String> name, String architecture, Optional<String> quantization, long parameters,
            long bytes, long mmprojBytes, double bitsPerWeight) {
    }
}
