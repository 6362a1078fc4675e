package dev.luq.gguf;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A model and its projector whose files are in order as far as they tell without being loaded: well-formed, whole,
 * and partners of each other. Native code sees no other files.
 *
 * @param files of the model
 * @param facts of the model
 * @param projector files of the projector; empty for a text-only model
 */
public record CheckedModel(ModelFiles files, ModelFacts facts, Optional<ModelFiles> projector) {

    /**
     * Reads the headers of all files.
     *
     * @param model the GGUF, or the first part of a split one with its siblings beside it; or all parts in order,
     *      whatever their names
     * @throws GgufException.Unusable when they cannot be served
     */
    public static CheckedModel read(List<Path> model, Optional<Path> mmproj) {
        ModelFiles files = files("model", model);
        ModelFacts facts = facts("model", files);
        if (mmproj.isEmpty()) {
            if (facts.projector()) {
                throw new GgufException.Unusable("The file given as model is a multimodal projector (mmproj).", null);
            }
            return new CheckedModel(files, facts, Optional.empty());
        }
        ModelFiles projector = files("mmproj", List.of(mmproj.get()));
        ModelFacts projectorFacts = facts("mmproj", projector);
        try {
            facts.requireProjector(projectorFacts);
        } catch (GgufException e) {
            throw new GgufException.Unusable(e.getMessage(), e);
        }
        return new CheckedModel(files, facts, Optional.of(projector));
    }

    private static ModelFiles files(String role, List<Path> paths) {
        try {
            return paths.size() == 1 ? ModelFiles.read(paths.get(0)) : ModelFiles.of(paths);
        } catch (GgufException e) {
            throw unusable(role, e);
        } catch (NoSuchFileException e) {
            throw new GgufException.Unusable("The " + role + " file does not exist.", e);
        } catch (IOException e) {
            throw new GgufException.Unusable("The " + role + " file cannot be read.", e);
        }
    }

    private static ModelFacts facts(String role, ModelFiles files) {
        try {
            return ModelFacts.of(files);
        } catch (GgufException e) {
            throw unusable(role, e);
        }
    }

    private static GgufException.Unusable unusable(String role, GgufException e) {
        return new GgufException.Unusable("The " + role + " file is not usable. " + e.getMessage(), e);
    }
}
