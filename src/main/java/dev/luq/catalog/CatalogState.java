package dev.luq.catalog;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.luq.files.DamagedFileException;
import dev.luq.files.DataFolder;
import dev.luq.files.Folders;
import dev.luq.files.JsonFile;
import dev.luq.machine.Kernels;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * What was changed in the catalogue at run time, as it lies in {@code catalog.json} of the data folder. It adds to the
 * configuration and takes precedence over it.
 *
 * @param version 1
 * @param defaultModel id of the default model; null as configured
 * @param models by id: registered models, and changes of configured ones
 */
@RegisterForReflection
@JsonInclude(JsonInclude.Include.NON_NULL)
record CatalogState(int version, String defaultModel, Map<String, ModelState> models) {

    private static final int VERSION = 1;
    private static final CatalogState EMPTY = new CatalogState(VERSION, null, Map.of());

    /**
     * Every member is null where nothing was changed.
     *
     * @param model the GGUF of a registered model, absolute; null for a configured one
     * @param mmproj its projector, absolute
     * @param aliases take the place of the configured ones
     * @param variant id of the variant that is served in place of the base files
     * @param unloaded whether its process is not started
     * @param kernels what multiplies a registered model's weights
     * @param load when a registered model is loaded
     * @param pinned whether a registered model never goes for another one
     * @param keepAlive how long a registered model stays after its last request
     */
    @RegisterForReflection
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ModelState(
            String model,
            String mmproj,
            List<String> aliases,
            String variant,
            Boolean unloaded,
            Kernels kernels,
            LoadPolicy load,
            Boolean pinned,
            KeepAlive keepAlive) {

        static final ModelState NONE = new ModelState(null, null, null, null, null, null, null, null, null);

        static ModelState registered(CatalogEntry.Source source, List<String> aliases, ModelSettings settings) {
            return new ModelState(
                    source.model().get(0).toString(),
                    source.mmproj().map(Path::toString).orElse(null),
                    aliases,
                    null,
                    null,
                    settings.kernels().orElse(null),
                    settings.load() == LoadPolicy.START ? null : settings.load(),
                    settings.pinned().orElse(null),
                    settings.keepAlive().orElse(null));
        }

        /** Of a registered model. */
        ModelSettings settings() {
            return ModelSettings.of(
                    load == null ? LoadPolicy.START : load,
                    Optional.ofNullable(pinned),
                    Optional.ofNullable(keepAlive),
                    Optional.ofNullable(kernels));
        }

        ModelState withAliases(List<String> next) {
            return new ModelState(model, mmproj, next, variant, unloaded, kernels, load, pinned, keepAlive);
        }

        ModelState withVariant(String next) {
            return new ModelState(model, mmproj, aliases, next, unloaded, kernels, load, pinned, keepAlive);
        }

        ModelState withUnloaded(boolean next) {
            return new ModelState(
                    model, mmproj, aliases, variant, next ? true : null, kernels, load, pinned, keepAlive);
        }
    }

    CatalogState {
        models = models == null ? Map.of() : Map.copyOf(models);
    }

    ModelState of(String id) {
        return models.getOrDefault(id, ModelState.NONE);
    }

    CatalogState withDefault(String id) {
        return new CatalogState(version, id, models);
    }

    /** @param change returns null to forget the model */
    CatalogState with(String id, UnaryOperator<ModelState> change) {
        Map<String, ModelState> next = new TreeMap<>(models);
        ModelState changed = change.apply(of(id));
        if (changed == null || changed.equals(ModelState.NONE)) {
            next.remove(id);
        } else {
            next.put(id, changed);
        }
        return new CatalogState(version, defaultModel, next);
    }

    /** @throws CatalogException.Misconfigured when the file cannot be understood */
    static CatalogState read(DataFolder data) {
        Path file = data.catalog();
        try {
            CatalogState state = JsonFile.read(file, CatalogState.class).orElse(EMPTY);
            if (state.version != VERSION) {
                throw new CatalogException.Misconfigured(file + " is of another version of this server; with the file"
                        + " moved away the configured models are served as configured");
            }
            return state;
        } catch (DamagedFileException e) {
            throw new CatalogException.Misconfigured(file + " cannot be understood; with the file moved away the"
                    + " configured models are served as configured");
        } catch (UncheckedIOException e) {
            throw new CatalogException.Misconfigured(
                    file + " cannot be read: " + e.getCause().getMessage());
        }
    }

    /**
     * Changes the file, unless it says so already. Other processes wait meanwhile.
     *
     * @return what is in it now
     * @throws CatalogException.NotSaved when the disk does not take it; the file is as before then
     */
    static CatalogState update(DataFolder data, UnaryOperator<CatalogState> change) {
        try {
            Path file = data.catalog();
            Folders.create(data.path());
            try (FileChannel lockFile = FileChannel.open(
                            file.resolveSibling(file.getFileName() + ".lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
                    FileLock lock = lockFile.lock()) {
                CatalogState before = read(data);
                CatalogState next = change.apply(before);
                if (!next.equals(before)) {
                    JsonFile.write(file, next);
                }
                return next;
            }
        } catch (IOException | UncheckedIOException e) {
            throw new CatalogException.NotSaved(e);
        }
    }
}
