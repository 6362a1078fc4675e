package dev.luq.catalog;

import dev.luq.gguf.ModelFiles;
import dev.luq.machine.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the configuration says of models.
 *
 * @param defaultId id of the default model
 */
record ConfiguredModels(List<Model> models, String defaultId) {

    /** One model. */
    record Model(
            String id,
            Path model,
            Optional<Path> mmproj,
            List<String> aliases,
            boolean isDefault,
            Optional<Kernels> kernels) {}

    /** @throws CatalogException.Misconfigured when two models share a name or both are the default */
    static ConfiguredModels of(CatalogConfig config) {
        List<Model> models = new ArrayList<>();
        config.models()
                .forEach((id, model) -> models.add(new Model(
                        id,
                        model.model(),
                        model.mmproj(),
                        model.aliases().orElse(List.of()),
                        model.isDefault(),
                        model.kernels())));
        boolean hasDefault = models.stream().anyMatch(Model::isDefault);
        config.model()
                .ifPresent(path -> models.add(new Model(
                        config.modelId().orElseGet(() -> ModelFiles.nameOf(path)),
                        path,
                        config.mmproj(),
                        List.of(),
                        !hasDefault,
                        Optional.empty())));
        if (models.isEmpty()) {
            DemoModel demo = new DemoModel(config.demoDir());
            models.add(new Model(
                    DemoModel.ID, demo.model(), Optional.of(demo.mmproj()), List.of(), true, Optional.empty()));
        }
        models.sort(Comparator.comparing((Model model) -> !model.isDefault).thenComparing(Model::id));
        if (models.size() > 1 && models.get(1).isDefault) {
            throw new CatalogException.Misconfigured("Both " + models.get(0).id + " and " + models.get(1).id
                    + " are configured as the default model; keep one luq.models.\"id\".default=true");
        }
        requireNames(models);
        return new ConfiguredModels(models, models.get(0).id);
    }

    private static void requireNames(List<Model> models) {
        Map<String, String> owners = new HashMap<>();
        for (Model model : models) {
            List<String> names = new ArrayList<>(model.aliases);
            names.add(model.id);
            for (String name : names) {
                String other = owners.putIfAbsent(name, model.id);
                if (other != null) {
                    throw new CatalogException.Misconfigured("The name " + name + " is given to " + other + " and to "
                            + model.id + "; ids and aliases must differ");
                }
            }
        }
    }
}
