package dev.luq.catalog;

import dev.luq.gguf.ModelFacts;
import dev.luq.gguf.ModelFiles;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * The models that this server serves, found and checked when it starts: no file reaches native code that is cut off,
 * malformed or no partner of its projector. A model with such a file stays in the catalogue with the reason.
 * Immutable, thread-safe.
 */
@Singleton
public class Catalog {

    private static final Logger LOG = Logger.getLogger(Catalog.class);

    private static final String DEMO_ID = "luq-demo";
    private static final String DEMO_MODEL = "luq-demo-F16.gguf";
    private static final String DEMO_MMPROJ = "mmproj-luq-demo-F16.gguf";

    private final List<CatalogEntry> entries;
    private final Map<String, CatalogEntry> byName = new LinkedHashMap<>();

    /** What the configuration says of one model. */
    private record Wanted(String id, Path model, Optional<Path> mmproj, List<String> aliases, boolean isDefault) {
    }

    /** @throws CatalogException.Misconfigured when two models share a name or both are the default */
    @Inject
    public Catalog(CatalogConfig config) {
        List<Wanted> wanted = new ArrayList<>(wanted(config));
        wanted.sort(Comparator.comparing((Wanted model) -> !model.isDefault).thenComparing(Wanted::id));
        if (wanted.size() > 1 && wanted.get(1).isDefault) {
            throw new CatalogException.Misconfigured("Both " + wanted.get(0).id + " and " + wanted.get(1).id
                    + " are configured as the default model; keep one luq.models.\"id\".default=true");
        }
        entries = wanted.stream().map(Catalog::check).toList();
        for (CatalogEntry entry : entries) {
            name(entry.id(), entry);
            entry.aliases().forEach(alias -> name(alias, entry));
        }
    }

    private static List<Wanted> wanted(CatalogConfig config) {
        List<Wanted> wanted = new ArrayList<>();
        config.models().forEach((id, model) -> wanted.add(new Wanted(id, model.model(), model.mmproj(),
                model.aliases().orElse(List.of()), model.isDefault())));
        boolean hasDefault = wanted.stream().anyMatch(Wanted::isDefault);
        config.model().ifPresent(path -> wanted.add(new Wanted(config.modelId().orElseGet(() -> idOf(path)), path,
                config.mmproj(), List.of(), !hasDefault)));
        if (wanted.isEmpty()) {
            wanted.add(new Wanted(DEMO_ID, config.demoDir().resolve(DEMO_MODEL),
                    Optional.of(config.demoDir().resolve(DEMO_MMPROJ)), List.of(), true));
        }
        return wanted;
    }

    private static String idOf(Path path) {
        return path.getFileName().toString().replaceFirst("(-\\d{5}-of-\\d{5})?\\.gguf$", "");
    }

    private void name(String name, CatalogEntry entry) {
        CatalogEntry other = byName.putIfAbsent(name, entry);
        if (other != null) {
            throw new CatalogException.Misconfigured("The name " + name + " is given to " + other.id() + " and to "
                    + entry.id() + "; ids and aliases must differ");
        }
    }

    private static CatalogEntry check(Wanted wanted) {
        Path model = wanted.model.toAbsolutePath().normalize();
        Optional<Path> mmproj = wanted.mmproj.map(path -> path.toAbsolutePath().normalize());
        try {
            CheckedModel checked = CheckedModel.read(model, mmproj);
            ModelFacts facts = checked.facts();
            long mmprojBytes = checked.projector().map(ModelFiles::tensorBytes).orElse(0L);
            return new CatalogEntry(wanted.id, wanted.aliases, checked.files().paths(), mmproj, created(model),
                    Optional.of(new CatalogEntry.Facts(facts.name(), facts.architecture(), facts.fileType(),
                            facts.parameters(), facts.tensorBytes(), mmprojBytes, facts.bitsPerWeight())),
                    Optional.empty());
        } catch (CatalogException.InvalidModel e) {
            LOG.errorf("Model %s (%s%s) is not usable: %s", wanted.id, model,
                    mmproj.map(path -> ", mmproj " + path).orElse(""), e.getMessage());
            return new CatalogEntry(wanted.id, wanted.aliases, List.of(model), mmproj, created(model),
                    Optional.empty(), Optional.of(e.getMessage()));
        }
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
        return entries;
    }

    /** @param name an id or alias; null or empty for the default model */
    public Optional<CatalogEntry> find(String name) {
        return name == null || name.isEmpty() ? Optional.of(entries.get(0)) : Optional.ofNullable(byName.get(name));
    }
}
