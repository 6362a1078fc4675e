package dev.luq.requant.store;

import dev.luq.files.AtomicFiles;
import dev.luq.files.Folders;
import dev.luq.files.Sha256;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The folder described in this package. Safe for many threads and processes. Methods throw {@link StoreException} for
 * what people can do something about, and IOException, whose message may name a path, for other failures of the disk.
 */
public final class LayerStore {

    private static final System.Logger LOG = System.getLogger(LayerStore.class.getName());
    private static final String GGUF = ".gguf";
    private static final String JSON = ".json";

    private final Path root;
    private final Path entries;
    private final Path manifests;
    /** Is there while garbage is to be collected as soon as no model is being made. */
    private final Path awaited;

    private final Leases leases;

    /** What stands in KEY.json. */
    private record Seal(long bytes, String sha256) {}

    /** Writes the tensors' data of an entry, in the order of its table. */
    @FunctionalInterface
    public interface EntryBody {
        void write(GgufWriter writer) throws IOException;
    }

    private LayerStore(Path root) {
        this.root = root;
        this.entries = root.resolve("entries");
        this.manifests = root.resolve("manifests");
        this.awaited = root.resolve("collect");
        this.leases = new Leases(root);
    }

    /** @param root made if it does not exist */
    public static LayerStore open(Path root) throws IOException {
        for (String folder : List.of("entries", "manifests", "leases", "sources")) {
            Folders.create(root.resolve(folder));
        }
        return new LayerStore(root.toRealPath());
    }

    /** Where the digests of base files are kept. */
    Path sources() {
        return root.resolve("sources");
    }

    /** Where the data of an entry lies, whether it exists or not. */
    public Path path(EntryKey key) {
        return entries.resolve(key.hex() + GGUF);
    }

    private Path seal(EntryKey key) {
        return entries.resolve(key.hex() + JSON);
    }

    /** An entry that is complete; its content is not read. */
    public Optional<Manifest.Entry> entry(EntryKey key) throws IOException {
        Optional<Seal> seal = StoreFiles.read(seal(key), Seal.class);
        return seal.filter(s -> hasSize(path(key), s.bytes())).map(s -> new Manifest.Entry(key, s.bytes(), s.sha256()));
    }

    /** An entry whose data is written but may still be lost in a power cut. To be sealed, once, by any thread. */
    @FunctionalInterface
    public interface Unsealed {

        /**
         * Waits until the disk has the data, then makes the entry known.
         *
         * @throws StoreException.NoSpace when the disk is full; nothing of the entry is left
         */
        Manifest.Entry seal() throws IOException;
    }

    /** Writes an entry and seals it. @see #begin */
    public Manifest.Entry write(EntryKey key, Map<String, GgufValue> metadata, List<GgufTensor> tensors, EntryBody body)
            throws IOException {
        return begin(key, metadata, tensors, body).seal();
    }

    /**
     * Writes an entry, or finds it written. Hold {@link #build a lease} from before until the manifest is published.
     *
     * @param metadata of the GGUF
     * @param tensors its table
     * @param body called once, or not at all when the entry exists
     * @throws StoreException.NoSpace when the disk is full; nothing of the entry is left
     */
    public Unsealed begin(EntryKey key, Map<String, GgufValue> metadata, List<GgufTensor> tensors, EntryBody body)
            throws IOException {
        Optional<Manifest.Entry> existing = entry(key);
        if (existing.isPresent()) {
            return existing::get;
        }
        long bytes = tensors.stream().mapToLong(GgufTensor::bytes).sum();
        MessageDigest digest = Sha256.create();
        GgufWriter written = StoreFiles.needingSpace(entries, bytes, () -> {
            GgufWriter writer = GgufWriter.create(path(key), metadata, tensors, Optional.of(digest));
            try {
                body.write(writer);
                return writer;
            } catch (IOException | RuntimeException | Error e) {
                writer.close();
                throw e;
            }
        });
        return () -> StoreFiles.needingSpace(entries, bytes, () -> {
            try (written) {
                written.commit();
            }
            Seal seal = new Seal(Files.size(path(key)), Sha256.hex(digest));
            StoreFiles.write(seal(key), seal);
            return new Manifest.Entry(key, seal.bytes(), seal.sha256());
        });
    }

    /** Keeps all entries, named by a manifest or not, while a model is being made. */
    public StoreLease build() throws IOException {
        return leases.alone(() -> {
            if (!leases.subjects().contains(Leases.BUILDING)) {
                removeUnfinished();
            }
            StoreLease lease = leases.take(Leases.BUILDING);
            return () -> {
                lease.close();
                collectWhatWaits();
            };
        });
    }

    /** What was to be collected while a model was being made. */
    private void collectWhatWaits() {
        try {
            if (Files.exists(awaited)) {
                collectGarbage();
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "Entries that nothing needs stay in the store for now", e);
        }
    }

    /**
     * Makes a model known. Publishing the same manifest again does nothing.
     *
     * @throws StoreException.Conflict when another manifest has its id
     * @throws StoreException.Damaged when an entry is missing
     */
    public void publish(Manifest manifest) throws IOException {
        leases.alone(() -> {
            files(manifest);
            Path file = manifests.resolve(manifest.id() + JSON);
            if (Files.exists(file)) {
                if (!Arrays.equals(Files.readAllBytes(file), StoreFiles.JSON.writeValueAsBytes(manifest))) {
                    throw new StoreException.Conflict("There is another model named " + manifest.id() + " already.");
                }
                return null;
            }
            return StoreFiles.needingSpace(manifests, 0, () -> {
                StoreFiles.write(file, manifest);
                return null;
            });
        });
    }

    /**
     * @throws StoreException.InvalidId when the id is none
     * @throws StoreException.Damaged when the file holds no manifest
     */
    public Optional<Manifest> manifest(String id) throws IOException {
        Manifest.requireId(id);
        Path file = manifests.resolve(id + JSON);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        Manifest manifest = StoreFiles.read(file, Manifest.class)
                .filter(m -> m.id().equals(id))
                .orElseThrow(() -> new StoreException.Damaged("The manifest of model " + id + " cannot be read."));
        if (manifest.version() != Manifest.VERSION) {
            throw new StoreException.Unsupported("The manifest of model " + id + " has version " + manifest.version()
                    + "; this program knows version " + Manifest.VERSION + ".");
        }
        return Optional.of(manifest);
    }

    /** All manifests that can be read, by id. */
    public List<Manifest> manifests() throws IOException {
        List<Manifest> all = new ArrayList<>();
        for (Path file : StoreFiles.list(manifests, JSON)) {
            StoreFiles.read(file, Manifest.class)
                    .filter(m -> m.version() == Manifest.VERSION)
                    .ifPresent(all::add);
        }
        return all;
    }

    /**
     * Forgets a model; its entries go with the next collection.
     *
     * @throws StoreException.NotFound when there is none
     * @throws StoreException.InUse when it is leased
     */
    public void delete(String id) throws IOException {
        Manifest.requireId(id);
        leases.alone(() -> {
            if (leases.subjects().contains(id)) {
                throw new StoreException.InUse("Model " + id + " is in use; unload it first.");
            }
            requireManifest(id);
            AtomicFiles.delete(manifests.resolve(id + JSON));
            return null;
        });
    }

    /**
     * Keeps a model's entries and its manifest.
     *
     * @throws StoreException.NotFound when there is no such model
     */
    public StoreLease lease(String id) throws IOException {
        Manifest.requireId(id);
        return leases.alone(() -> {
            requireManifest(id);
            return leases.take(id);
        });
    }

    private void requireManifest(String id) {
        if (!Files.exists(manifests.resolve(id + JSON))) {
            throw new StoreException.NotFound("There is no model named " + id + ".");
        }
    }

    /**
     * The files of a model, after a look at their sizes.
     *
     * @throws StoreException.Damaged when one is missing or has another size
     */
    public StoredModel files(Manifest manifest) {
        List<Path> splits = manifest.entries().stream().map(this::requireFile).toList();
        return new StoredModel(splits, manifest.mmproj().map(this::requireFile));
    }

    /** Whether a model's files are there as they were written, as far as is known without reading them. */
    public boolean isWhole(Manifest manifest) throws IOException {
        for (Manifest.Entry entry : manifest.files()) {
            if (!entry(entry.key()).equals(Optional.of(entry))) {
                return false;
            }
        }
        return true;
    }

    private Path requireFile(Manifest.Entry entry) {
        Path file = path(entry.key());
        if (!hasSize(file, entry.bytes())) {
            throw new StoreException.Damaged(
                    "A file of the model is missing or has another size than when it was written."
                            + " Quantize the model again.");
        }
        return file;
    }

    /**
     * Reads all of a model's files and compares them with what was written.
     *
     * @throws StoreException.Damaged when one differs. Its seal is broken, so that the next quantization writes it anew
     */
    public void verify(Manifest manifest) throws IOException {
        files(manifest);
        boolean damaged = false;
        for (Manifest.Entry entry : manifest.files()) {
            if (!Sha256.hex(path(entry.key())).equals(entry.sha256())) {
                AtomicFiles.delete(seal(entry.key()));
                damaged = true;
            }
        }
        if (damaged) {
            throw new StoreException.Damaged("A file of the model is not what was written. Quantize the model again.");
        }
    }

    /**
     * Writes a model as one plain GGUF.
     *
     * @param target replaced if it exists; appears when it is complete
     */
    public void export(Manifest manifest, Path target) throws IOException {
        List<Path> splits = files(manifest).splits();
        long bytes =
                manifest.entries().stream().mapToLong(Manifest.Entry::bytes).sum();
        StoreFiles.needingSpace(target.toAbsolutePath().getParent(), bytes, () -> {
            PlainGguf.write(splits, target);
            return null;
        });
    }

    /**
     * Removes entries that no manifest names, and what was never finished; while a model is being made, when that is
     * done.
     *
     * @return bytes freed
     */
    public long collectGarbage() throws IOException {
        return leases.alone(() -> {
            if (leases.subjects().contains(Leases.BUILDING)) {
                if (!Files.exists(awaited)) {
                    Files.createFile(awaited);
                }
                return 0L;
            }
            Set<Path> needed = new HashSet<>();
            for (Path file : StoreFiles.list(manifests, JSON)) {
                // What cannot be read may need anything.
                Optional<Manifest> manifest = StoreFiles.read(file, Manifest.class);
                if (manifest.isEmpty()) {
                    return 0L;
                }
                manifest.get().files().forEach(entry -> {
                    needed.add(path(entry.key()));
                    needed.add(seal(entry.key()));
                });
            }
            Files.deleteIfExists(awaited);
            long freed = removeUnfinished();
            // Seals first: an entry without data would be a damaged one.
            for (String suffix : List.of(JSON, GGUF)) {
                for (Path file : StoreFiles.list(entries, suffix)) {
                    freed += needed.contains(file) ? 0 : remove(file);
                }
                Folders.force(entries);
            }
            return freed;
        });
    }

    private long removeUnfinished() throws IOException {
        long freed = 0;
        for (Path folder : List.of(entries, manifests, sources())) {
            for (Path file : StoreFiles.list(folder, "")) {
                freed += StoreFiles.isUnfinished(file) ? remove(file) : 0;
            }
        }
        return freed;
    }

    /** Not durable before the folder is forced: once for all files, as a job leaves thousands. */
    private static long remove(Path file) throws IOException {
        long bytes = Files.size(file);
        Files.deleteIfExists(file);
        return bytes;
    }

    private static boolean hasSize(Path file, long bytes) {
        try {
            return Files.size(file) == bytes;
        } catch (IOException e) {
            return false;
        }
    }
}
