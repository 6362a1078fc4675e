package dev.luq.catalog;

import dev.luq.catalog.CatalogEntry.Source;
import dev.luq.catalog.CatalogState.ModelState;
import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.gguf.CheckedModel;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import dev.luq.gguf.Pooling;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * The models that this server serves: the configured ones, and what was registered or changed at run time, which lies
 * in the data folder and outlives the server. All files are checked first: none reaches native code that is cut off,
 * malformed or does not fit its projector. A configured model with such a file stays in the catalogue with the
 * reason. Thread-safe: readers see one state of the whole catalogue, changes take place one after the other and are on
 * the disk when their method returns.
 */
@Singleton
public class Catalog {

    private static final Logger LOG = Logger.getLogger(Catalog.class);

    private final DataFolder data;
    private final VariantStore variants;
    private final String configuredDefault;
    private volatile CatalogView view;

    /** @throws CatalogException.Misconfigured when two models share a name, both are the default, or the data folder's
     *      catalogue cannot be understood */
    @Inject
    Catalog(CatalogConfig config, DataConfig data, VariantStore variants) {
        this(config, new DataFolder(data.dataDir()), variants);
    }

    /** @throws CatalogException.Misconfigured as above */
    public Catalog(CatalogConfig config, DataFolder data, VariantStore variants) {
        this.data = data;
        this.variants = variants;
        ConfiguredModels configured = ConfiguredModels.of(config);
        this.configuredDefault = configured.defaultId();
        CatalogState state = CatalogState.read(data);
        List<CatalogEntry> entries = new ArrayList<>();
        for (ConfiguredModels.Model model : configured.models()) {
            entries.add(entry(
                    model.id(),
                    model.aliases(),
                    false,
                    model.settings(),
                    new Source(List.of(absolute(model.model())), model.mmproj().map(Catalog::absolute)),
                    state.of(model.id())));
        }
        CatalogView names = CatalogView.of(entries, configuredDefault);
        state.models().forEach((id, model) -> {
            if (model.model() != null && names.find(id).isPresent()) {
                LOG.warnf("The name %s of a registered model is configured for another one, which is served", id);
            } else if (model.model() != null) {
                entries.add(entry(
                        id,
                        List.of(),
                        true,
                        model.settings(),
                        new Source(
                                List.of(Path.of(model.model())),
                                Optional.ofNullable(model.mmproj()).map(Path::of)),
                        model));
            }
        });
        this.view = withAliases(entries, state);
    }

    /** A configured name takes precedence over an alias given at run time: the server has to start. */
    private CatalogView withAliases(List<CatalogEntry> entries, CatalogState state) {
        String defaultId = state.defaultModel() != null
                        && entries.stream().anyMatch(entry -> entry.id().equals(state.defaultModel()))
                ? state.defaultModel()
                : configuredDefault;
        CatalogView built = CatalogView.of(entries, defaultId);
        for (CatalogEntry entry : entries) {
            List<String> wanted = state.of(entry.id()).aliases();
            if (wanted != null) {
                try {
                    built = built.replace(entry.withAliases(wanted));
                } catch (CatalogException.Conflict e) {
                    LOG.warnf("Model %s keeps its configured aliases: %s", entry.id(), e.getMessage());
                }
            }
        }
        return built;
    }

    private static Path absolute(Path path) {
        return path.toAbsolutePath().normalize();
    }

    private CatalogEntry entry(
            String id,
            List<String> aliases,
            boolean registered,
            ModelSettings settings,
            Source source,
            ModelState state) {
        // A model that is loaded on demand has no process anyway until a request comes.
        boolean unloaded = settings.load() == LoadPolicy.START && Boolean.TRUE.equals(state.unloaded());
        try {
            try {
                return checked(
                        id, aliases, registered, unloaded, settings, source, Optional.ofNullable(state.variant()));
            } catch (CatalogException.Conflict otherModel) {
                // Its files were replaced: who did wants the new ones.
                LOG.warnf("Model %s is served as configured: %s", id, otherModel.getMessage());
                return checked(id, aliases, registered, unloaded, settings, source, Optional.empty());
            }
        } catch (CatalogException.InvalidModel | CatalogException.NotFound | CatalogException.Conflict e) {
            LOG.errorf(
                    "Model %s (%s%s) is not usable: %s",
                    id,
                    source.model().get(0),
                    source.mmproj().map(path -> ", mmproj " + path).orElse(""),
                    e.getMessage());
            return new CatalogEntry(
                    id,
                    aliases,
                    registered,
                    unloaded,
                    settings,
                    source,
                    Optional.empty(),
                    created(source.model().get(0)),
                    Optional.empty(),
                    Optional.of(e.getMessage()));
        }
    }

    /**
     * Reads the headers of a model's files, see {@link CheckedModel#read}.
     *
     * @throws CatalogException.InvalidModel when they cannot be served
     */
    public static CheckedModel check(List<Path> model, Optional<Path> mmproj) {
        try {
            return CheckedModel.read(model, mmproj);
        } catch (GgufException.Unusable e) {
            throw new CatalogException.InvalidModel(e.getMessage(), e);
        }
    }

    private CatalogEntry checked(
            String id,
            List<String> aliases,
            boolean registered,
            boolean unloaded,
            ModelSettings settings,
            Source source,
            Optional<String> variantId) {
        CheckedModel base = check(source.model(), source.mmproj());
        Source whole = new Source(base.files().paths(), source.mmproj());
        CheckedModel served = base;
        Optional<Variant> variant = variantId.map(variants::find);
        if (variant.isPresent()) {
            served = check(variant.get().files(), variant.get().mmproj().or(source::mmproj));
            if (!served.facts().architecture().equals(base.facts().architecture())
                    || served.facts().parameters() != base.facts().parameters()) {
                throw new CatalogException.Conflict(
                        "The variant " + variant.get().id() + " was made of another model" + " than " + id);
            }
        }
        ModelFacts facts = served.facts();
        Pooling pooling = facts.pooling(settings.pooling());
        return new CatalogEntry(
                id,
                aliases,
                registered,
                unloaded,
                settings,
                whole,
                variant,
                created(served.files().paths().get(0)),
                Optional.of(new CatalogEntry.Facts(
                        facts.name(),
                        facts.architecture(),
                        facts.fileType(),
                        facts.parameters(),
                        facts.tensorBytes(),
                        served.projector().map(ModelFiles::tensorBytes).orElse(0L),
                        facts.bitsPerWeight(),
                        facts.generates(pooling),
                        pooling != Pooling.NONE && pooling != Pooling.RANK,
                        pooling == Pooling.RANK)),
                Optional.empty());
    }

    private static long created(Path model) {
        try {
            return Files.getLastModifiedTime(model).toMillis() / 1000;
        } catch (IOException e) {
            return 0;
        }
    }

    /** The default model first, the others by their id. */
    public List<CatalogEntry> entries() {
        return view.entries();
    }

    /** @param name an id or alias; null or empty for the default model */
    public Optional<CatalogEntry> find(String name) {
        return view.find(name);
    }

    /** @param id no alias, and not empty */
    public Optional<CatalogEntry> withId(String id) {
        return view.find(id).filter(entry -> entry.id().equals(id));
    }

    /**
     * The model with this id, which is no alias.
     *
     * @throws CatalogException.NotFound when there is none
     */
    public CatalogEntry get(String id) {
        return withId(id).orElseThrow(() -> new CatalogException.NotFound("There is no model with the id " + id));
    }

    /**
     * Adds a model.
     *
     * @param model the GGUF; of a split model, its first part
     * @param settings made by {@link ModelSettings#of}: other ones are not kept
     * @throws CatalogException.InvalidModel when its files cannot be served; it is not added
     * @throws CatalogException.Conflict when one of its names is taken
     */
    public synchronized CatalogEntry register(
            String id, Path model, Optional<Path> mmproj, List<String> aliases, ModelSettings settings) {
        Source source = new Source(List.of(absolute(model)), mmproj.map(Catalog::absolute));
        CatalogEntry entry = checked(id, aliases, true, false, settings, source, Optional.empty());
        CatalogView next = view.add(entry);
        save(state -> state.with(id, old -> ModelState.registered(source, aliases, settings)));
        view = next;
        return entry;
    }

    /**
     * Forgets a registered model; its files stay.
     *
     * @throws CatalogException.NotFound when there is none with this id
     * @throws CatalogException.Conflict when it is configured, or the default model
     */
    public synchronized void unregister(String id) {
        CatalogEntry entry = get(id);
        if (!entry.registered()) {
            throw new CatalogException.Conflict(
                    "The model " + id + " is configured; only its configuration removes it");
        }
        CatalogView next = view.remove(id);
        save(state -> state.with(id, old -> null));
        view = next;
    }

    /** @throws CatalogException.Conflict when a name is taken */
    public synchronized CatalogEntry setAliases(String id, List<String> aliases) {
        CatalogEntry next = get(id).withAliases(aliases);
        CatalogView changed = view.replace(next);
        save(state -> state.with(id, old -> old.withAliases(aliases)));
        view = changed;
        return next;
    }

    /** Makes a model the default, which requests get that name none. */
    public synchronized void setDefault(String id) {
        get(id);
        CatalogView next = CatalogView.of(view.entries(), id);
        save(state -> state.withDefault(id));
        view = next;
    }

    /** Remembers whether a process is to serve the model. */
    public synchronized CatalogEntry setUnloaded(String id, boolean unloaded) {
        CatalogEntry next = get(id).withUnloaded(unloaded);
        save(state -> state.with(id, old -> old.withUnloaded(unloaded)));
        view = view.replace(next);
        return next;
    }

    /**
     * The model as it would be with another variant; {@link #activate} makes it so.
     *
     * @param variant id of a manifest; empty for the base files
     * @throws CatalogException.NotFound when there is no such model or variant
     * @throws CatalogException.InvalidModel when the files cannot be served
     * @throws CatalogException.Conflict when the variant is another model's
     */
    public CatalogEntry prepare(String id, Optional<String> variant) {
        CatalogEntry now = get(id);
        return checked(now.id(), now.aliases(), now.registered(), now.unloaded(), now.settings(), now.base(), variant);
    }

    /**
     * Makes a model what it was prepared to be; called when it is served like that, so that this is also what readers
     * see when it cannot be saved. Calling it again saves it then.
     *
     * @param prepared by {@link #prepare}
     * @throws CatalogException.NotFound when there is no such model, or its variant was deleted meanwhile
     * @throws CatalogException.NotSaved when the disk does not take it; the model is what it was prepared to be until
     *     the server ends
     */
    public synchronized CatalogEntry activate(CatalogEntry prepared) {
        CatalogEntry now = get(prepared.id());
        CatalogEntry next = new CatalogEntry(
                now.id(),
                now.aliases(),
                now.registered(),
                now.unloaded(),
                now.settings(),
                prepared.base(),
                prepared.variant(),
                prepared.created(),
                prepared.facts(),
                prepared.problem());
        CatalogView changed = view.replace(next);
        Optional<String> variant = next.variant().map(Variant::id);
        try {
            save(state -> {
                variant.ifPresent(variants::find); // nobody deletes it from here on
                return state.with(next.id(), old -> old.withVariant(variant.orElse(null)));
            });
        } catch (CatalogException.NotSaved e) {
            view = changed;
            throw e;
        }
        view = changed;
        return next;
    }

    /**
     * Deletes a variant from the store.
     *
     * @throws CatalogException.NotFound when there is none with this id
     * @throws CatalogException.Conflict when a model is served from it or will be, by this server or another one of the
     *     data folder
     */
    public synchronized void deleteVariant(String id) {
        save(state -> {
            Stream<String> here = view.entries().stream()
                    .filter(entry ->
                            entry.variant().filter(v -> v.id().equals(id)).isPresent())
                    .map(CatalogEntry::id);
            Stream<String> saved = state.models().entrySet().stream()
                    .filter(model -> id.equals(model.getValue().variant()))
                    .map(Map.Entry::getKey);
            Stream.concat(here, saved).findFirst().ifPresent(model -> {
                throw new CatalogException.Conflict("The variant " + id + " is active for the model " + model
                        + "; activate another one or the base first"
                        + (withId(model).isPresent()
                                ? ""
                                : ". This server has no such model: another one on the same data folder may, and"
                                        + " otherwise its entry in catalog.json is to be removed"));
            });
            variants.delete(id);
            return state;
        });
    }

    /**
     * The variant that a model is to be served from, also while its files cannot be used.
     *
     * @throws CatalogException.NotFound when there is no such model
     */
    public Optional<String> wantedVariant(String id) {
        CatalogEntry entry = get(id);
        return entry.problem().isEmpty()
                ? entry.variant().map(Variant::id)
                : Optional.ofNullable(CatalogState.read(data).of(id).variant());
    }

    private void save(UnaryOperator<CatalogState> change) {
        try {
            CatalogState.update(data, change);
        } catch (CatalogException.NotSaved e) {
            LOG.errorf(e.getCause(), "The catalogue cannot be written to %s", data);
            throw e;
        }
    }
}
