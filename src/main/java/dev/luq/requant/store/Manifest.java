package dev.luq.requant.store;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.luq.requant.plan.Plan;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A model in the store: the entries it is made of and how it came about. A JSON file, never changed once published.
 *
 * @param version {@link #VERSION}
 * @param id 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or digit
 * @param baseName general.name of the base model, or what people call it
 * @param baseFingerprint {@link Fingerprint#id} of the base model
 * @param created when, as the job has it: publishing again after a crash writes the same bytes
 * @param plan what each layer is, or each matrix
 * @param budget text of the budget that the plan was made for
 * @param entries split 0 and one split for each layer, or for each matrix where the plan gives them types; in order
 * @param mmproj the projector; empty for a model without one and where the base model's own file is used as it is
 * @param ranking facts of the ranking, such as method, seeds, taus; values that JSON has
 * @param quality what the evaluation measured; values that JSON has
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record Manifest(
        int version,
        String id,
        String baseName,
        String baseFingerprint,
        Instant created,
        Plan plan,
        Optional<String> budget,
        List<Entry> entries,
        Optional<Entry> mmproj,
        Map<String, Object> ranking,
        Map<String, Object> quality) {

    public static final int VERSION = 1;
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    /**
     * An immutable file of the store.
     *
     * @param key names the file
     * @param bytes its size
     * @param sha256 of its content, hexadecimal
     */
    public record Entry(EntryKey key, long bytes, String sha256) {}

    /** @throws StoreException.InvalidId when the id is none */
    public Manifest {
        requireId(id);
        entries = List.copyOf(entries);
        budget = budget == null ? Optional.empty() : budget;
        mmproj = mmproj == null ? Optional.empty() : mmproj;
        ranking = ranking == null ? Map.of() : Collections.unmodifiableMap(new TreeMap<>(ranking));
        quality = quality == null ? Map.of() : Collections.unmodifiableMap(new TreeMap<>(quality));
        int parts = plan.isByMatrix() ? plan.matrices().size() : plan.layers().size();
        if (entries.size() != parts + 1) {
            throw new IllegalArgumentException(entries.size() + " entries for " + parts + " layers or matrices");
        }
    }

    static void requireId(String id) {
        if (id == null || !ID.matcher(id).matches()) {
            throw new StoreException.InvalidId(
                    "A name has 1 to 100 letters, digits, dots, dashes or underscores and starts"
                            + " with a letter or digit.");
        }
    }

    /** All entries, the projector's last. */
    List<Entry> files() {
        return Stream.concat(entries.stream(), mmproj.stream()).toList();
    }

    /** Bytes of all files, shared ones included. */
    public long bytes() {
        return files().stream().mapToLong(Entry::bytes).sum();
    }
}
