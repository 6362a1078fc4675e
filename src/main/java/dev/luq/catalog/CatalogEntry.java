package dev.luq.catalog;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model that the server was asked to serve.
 *
 * @param id its name in the API
 * @param aliases further names
 * @param registered whether it was added at run time; false for a configured one
 * @param unloaded whether no process is to serve it for now
 * @param settings what its configuration says of it beside its files
 * @param base what the model is made of
 * @param variant served in place of the base; empty when the base is
 * @param created when the model's file was last modified, in seconds since 1970; 0 when it cannot be read
 * @param facts what the served files say; empty when they cannot be used
 * @param problem why the model cannot be served, without paths; empty when its files are in order
 */
public record CatalogEntry(
        String id,
        List<String> aliases,
        boolean registered,
        boolean unloaded,
        ModelSettings settings,
        Source base,
        Optional<Variant> variant,
        long created,
        Optional<Facts> facts,
        Optional<String> problem) {

    /**
     * @param model the GGUF, or the parts of a split one in order; absolute paths
     * @param mmproj the vision projector's GGUF, absolute; empty for a text-only model
     */
    public record Source(List<Path> model, Optional<Path> mmproj) {}

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
     * @param generates whether it answers prompts with text
     * @param embeds whether it makes embeddings, by its file or its configuration
     * @param ranks whether it scores documents by a query, and does nothing else
     */
    public record Facts(
            Optional<String> name,
            String architecture,
            Optional<String> quantization,
            long parameters,
            long bytes,
            long mmprojBytes,
            double bitsPerWeight,
            boolean generates,
            boolean embeds,
            boolean ranks) {}

    /** The files that are served: the variant's, or the base's. */
    public List<Path> files() {
        return variant.map(Variant::files).orElse(base.model());
    }

    /** The projector that is served, if any. */
    public Optional<Path> mmproj() {
        return variant.flatMap(Variant::mmproj).or(base::mmproj);
    }

    /** The same served from its base files. */
    public CatalogEntry withoutVariant() {
        return new CatalogEntry(
                id, aliases, registered, unloaded, settings, base, Optional.empty(), created, facts, problem);
    }

    CatalogEntry withAliases(List<String> next) {
        return new CatalogEntry(id, next, registered, unloaded, settings, base, variant, created, facts, problem);
    }

    CatalogEntry withUnloaded(boolean next) {
        return new CatalogEntry(id, aliases, registered, next, settings, base, variant, created, facts, problem);
    }
}
