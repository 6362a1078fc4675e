package dev.luq.catalog;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One state of the catalogue: entries, their names and the default. Immutable. */
final class CatalogView {

    private final List<CatalogEntry> entries;
    private final Map<String, CatalogEntry> byName = new LinkedHashMap<>();

    private CatalogView(List<CatalogEntry> entries) {
        this.entries = entries;
        for (CatalogEntry entry : entries) {
            name(entry.id(), entry);
            entry.aliases().forEach(alias -> name(alias, entry));
        }
    }

    /**
     * @param defaultId id of the default model; the first of the alphabet when no entry has it
     * @throws CatalogException.Conflict when two entries share a name
     */
    static CatalogView of(List<CatalogEntry> entries, String defaultId) {
        List<CatalogEntry> ordered = new ArrayList<>(entries);
        ordered.sort(Comparator.comparing((CatalogEntry entry) -> !entry.id().equals(defaultId))
                .thenComparing(CatalogEntry::id));
        return new CatalogView(List.copyOf(ordered));
    }

    private void name(String name, CatalogEntry entry) {
        CatalogEntry other = byName.putIfAbsent(name, entry);
        if (other != null) {
            throw new CatalogException.Conflict("The name " + name + " is given to " + other.id() + " and to "
                    + entry.id() + "; ids and aliases must differ");
        }
    }

    List<CatalogEntry> entries() {
        return entries;
    }

    /** @param name an id or alias; null or empty for the default model */
    Optional<CatalogEntry> find(String name) {
        return name == null || name.isEmpty() ? entries.stream().findFirst() : Optional.ofNullable(byName.get(name));
    }

    CatalogView add(CatalogEntry entry) {
        List<CatalogEntry> next = new ArrayList<>(entries);
        next.add(entry);
        return of(next, defaultId());
    }

    CatalogView replace(CatalogEntry entry) {
        return new CatalogView(entries.stream()
                .map(old -> old.id().equals(entry.id()) ? entry : old)
                .toList());
    }

    /** @throws CatalogException.Conflict when it is the default model: requests that name none need one */
    CatalogView remove(String id) {
        if (id.equals(defaultId())) {
            throw new CatalogException.Conflict(
                    "The model " + id + " is the default; make another one the default first");
        }
        return new CatalogView(
                entries.stream().filter(entry -> !entry.id().equals(id)).toList());
    }

    private String defaultId() {
        return entries.isEmpty() ? null : entries.get(0).id();
    }
}
