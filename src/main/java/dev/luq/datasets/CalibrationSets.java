package dev.luq.datasets;

import dev.luq.files.DamagedFileException;
import dev.luq.files.DataConfig;
import dev.luq.files.DataFolder;
import dev.luq.files.Folders;
import dev.luq.files.JsonFile;
import dev.luq.requant.data.DataException;
import dev.luq.requant.data.Dataset;
import dev.luq.requant.data.Example;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * The calibration and evaluation sets of this server, each in a folder of {@code calibration} in the data folder:
 * {@code set.json}, and {@code files} when it was uploaded. A set is checked as a whole before it is there, and never
 * changes. The folders directly in the configured root are sets too, unless one of the others has their name; they are
 * read and checked when they are asked for. Thread-safe.
 */
@ApplicationScoped
public class CalibrationSets {

    private static final Logger LOG = Logger.getLogger(CalibrationSets.class);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final String RECORD = "set.json";
    private static final String FILES = "files";
    /** In an {@link Incoming}: what becomes the set's folder. */
    private static final String SET = "set";

    /** Of a set; each is listed with it. */
    private static final int MOST_CATEGORIES = 1000;
    /** Uploads at the same time. */
    private static final int MOST_UPLOADS = 4;

    private final SetsConfig config;
    private final SetsRoot root;
    private final Path home;
    /** Names of the sets that are being uploaded. */
    private final Set<String> receiving = new HashSet<>();
    /** Held while a set's files are read: they are many megabytes of memory. */
    private final Object reading = new Object();
    /** Held while an archive is unpacked, which takes memory too, and may take minutes. */
    private final Object unpacking = new Object();

    @Inject
    CalibrationSets(SetsConfig config, DataConfig data) {
        this(config, new DataFolder(data.dataDir()));
    }

    CalibrationSets(SetsConfig config, DataFolder data) {
        this.config = config;
        this.root = new SetsRoot(config.root());
        this.home = data.sets();
    }

    /** What was coming in when a server ended is of no use. */
    void start(@Observes StartupEvent event) {
        if (Files.isDirectory(home)) {
            try {
                Incoming.deleteAbandoned(home);
            } catch (IOException e) {
                LOG.warnf("What is left in %s cannot be deleted: %s", home, e.getMessage());
            }
        }
    }

    /** Those that were uploaded or named, by name. */
    public List<CalibrationSet> list() {
        List<CalibrationSet> sets = new ArrayList<>();
        if (Files.isDirectory(home)) {
            try {
                Folders.list(home, f -> NAME.matcher(f.getFileName().toString()).matches())
                        .forEach(folder -> read(folder).ifPresent(sets::add));
            } catch (IOException e) {
                LOG.errorf(e, "The sets in %s cannot be listed", home);
            }
        }
        sets.sort(Comparator.comparing(CalibrationSet::name));
        return sets;
    }

    /** Names of the others, the folders of the root, in order. */
    public List<String> folders() {
        Set<String> taken = list().stream().map(CalibrationSet::name).collect(Collectors.toSet());
        try {
            return root.sets().stream()
                    .map(folder -> folder.getFileName().toString())
                    .filter(name -> NAME.matcher(name).matches() && !taken.contains(name))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            LOG.errorf(e, "The folders in luq.sets.root cannot be listed");
            return List.of();
        }
    }

    /**
     * A set. A folder of the root is read and checked for it; it counts as created when it was last modified.
     *
     * @throws SetException.NotFound when there is none
     * @throws SetException.Invalid when it is a folder of the root whose files are no set
     */
    public CalibrationSet get(String name) {
        return find(name).orElseGet(() -> {
            Path folder = folder(name).orElseThrow(() -> new SetException.NotFound(name));
            try {
                return describe(
                        name,
                        false,
                        folder,
                        folder,
                        Files.getLastModifiedTime(folder).toInstant());
            } catch (IOException | UncheckedIOException e) {
                throw unreadable(name, e);
            }
        });
    }

    private Optional<Path> folder(String name) {
        try {
            return NAME.matcher(name).matches() ? root.set(name) : Optional.empty();
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    private static SetException unreadable(String name, Exception e) {
        LOG.errorf(e, "The folder %s in luq.sets.root cannot be read", name);
        return new SetException.Invalid(
                "The folder " + name + " in luq.sets.root cannot be read; check its permissions");
    }

    private Optional<CalibrationSet> find(String name) {
        return NAME.matcher(name).matches() ? read(home.resolve(name)) : Optional.empty();
    }

    private static Optional<CalibrationSet> read(Path folder) {
        try {
            return JsonFile.read(folder.resolve(RECORD), CalibrationSet.class);
        } catch (DamagedFileException | UncheckedIOException e) {
            LOG.errorf(e, "The set in %s cannot be read and is left out", folder);
            return Optional.empty();
        }
    }

    /**
     * Begins to receive a set under a name; one upload a name at a time.
     *
     * @return to be closed
     * @throws SetException when the name is none, is being received, or too many sets exist or are being received
     */
    public Upload receive(String name) {
        requireName(name);
        synchronized (this) {
            if (receiving.contains(name)) {
                throw new SetException.Conflict("A calibration set named " + name + " is being uploaded already");
            }
            if (receiving.size() >= MOST_UPLOADS) {
                throw new SetException.Busy("There are " + MOST_UPLOADS + " uploads at this moment; try again later");
            }
            if (find(name).isEmpty()) {
                requireRoom();
            }
            receiving.add(name);
        }
        try {
            return new Upload(name, incoming());
        } catch (RuntimeException e) {
            received(name);
            throw e;
        }
    }

    private synchronized void received(String name) {
        receiving.remove(name);
    }

    /** A set that is being received: an archive in a folder of its own. Thread-safe. */
    public final class Upload implements AutoCloseable {

        private final String name;
        private final Incoming incoming;
        private boolean closed;

        private Upload(String name, Incoming incoming) {
            this.name = name;
            this.incoming = incoming;
        }

        /** Where the archive, a zip, is to be written; not there yet. */
        public Path archive() {
            return incoming.path().resolve("upload.zip");
        }

        /** Bytes that the archive may have. */
        public long maxBytes() {
            return config.maxUploadBytes();
        }

        /**
         * Adds the set in the archive. The same set again changes nothing. On the disk when this returns.
         *
         * @throws SetException when it is no set, unpacks to too much, or the name is taken by another one
         */
        public synchronized CalibrationSet accept() {
            return add(name, archive(), incoming.path());
        }

        /** Removes what is left of it, after {@link #accept} has ended. */
        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                incoming.close();
                received(name);
            }
        }

        /** What it means that the archive could not be written. */
        public SetException notSaved(Throwable failure) {
            return CalibrationSets.this.notSaved(name, failure);
        }
    }

    private CalibrationSet add(String name, Path zip, Path incoming) {
        try {
            Path set = Files.createDirectory(incoming.resolve(SET));
            Path files = Files.createDirectory(set.resolve(FILES));
            synchronized (unpacking) {
                unpack(zip, files, incoming.resolve("inner"));
            }
            return add(set, describe(name, true, files, home.resolve(name).resolve(FILES), Instant.now()));
        } catch (IOException | UncheckedIOException e) {
            throw notSaved(name, e);
        }
    }

    /** @param aside where nothing is, on the same disk */
    private void unpack(Path zip, Path files, Path aside) throws IOException {
        Path unpacked = new Archive(config.maxUnpackedBytes(), config.maxFiles()).unpack(zip, files);
        Files.delete(zip);
        Folders.forceAll(unpacked);
        if (!unpacked.equals(files)) {
            Files.move(unpacked, aside, StandardCopyOption.ATOMIC_MOVE);
            Files.delete(files);
            Files.move(aside, files, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private SetException notSaved(String name, Throwable failure) {
        LOG.errorf(failure, "The set %s cannot be written to %s", name, home);
        return new SetException.NotSaved(failure);
    }

    /**
     * Adds a folder below the configured root; its files stay where they are.
     *
     * @param folder relative to the root
     * @throws SetException when there is no root, no such folder, no set in it, or the name is taken by another one
     */
    public CalibrationSet name(String name, String folder) {
        requireName(name);
        try {
            Path named = root.below(folder);
            CalibrationSet set = describe(name, false, named, named, Instant.now());
            try (Incoming incoming = incoming()) {
                return add(Files.createDirectory(incoming.path().resolve(SET)), set);
            }
        } catch (IOException | UncheckedIOException e) {
            LOG.errorf(e, "The set %s cannot be added", name);
            throw new SetException.NotSaved(e);
        }
    }

    /**
     * Deletes a set that was uploaded or named.
     *
     * @throws SetException.NotFound when there is none
     * @throws SetException.Conflict when it is a folder of the root
     */
    public synchronized void delete(String name) {
        if (find(name).isEmpty()) {
            folder(name).ifPresent(folder -> {
                throw new SetException.Conflict("The set " + name
                        + " is a folder in luq.sets.root, which the server leaves" + " as it is; remove it there");
            });
            throw new SetException.NotFound(name);
        }
        try {
            Path gone = Incoming.unused(home);
            Folders.move(home.resolve(name), gone);
            delete(gone);
        } catch (IOException e) {
            LOG.errorf(e, "The set %s cannot be deleted", name);
            throw new SetException.NotSaved(e);
        }
    }

    private static void requireName(String name) {
        if (name == null || !NAME.matcher(name).matches()) {
            throw new SetException.Invalid("A set's name has 1 to 64 letters, digits, dots, dashes and underscores, and"
                    + " begins with a letter or digit");
        }
    }

    private Incoming incoming() {
        try {
            return Incoming.create(home);
        } catch (IOException e) {
            LOG.errorf(e, "Nothing can be written to %s", home);
            throw new SetException.NotSaved(e);
        }
    }

    private CalibrationSet describe(String name, boolean uploaded, Path files, Path later, Instant created) {
        synchronized (reading) {
            return read(name, uploaded, files, later, created);
        }
    }

    private static CalibrationSet read(String name, boolean uploaded, Path files, Path later, Instant created) {
        try {
            Dataset set = Dataset.read(files);
            Map<String, Integer> categories = new TreeMap<>();
            set.examples().forEach(example -> example.category().ifPresent(c -> categories.merge(c, 1, Integer::sum)));
            if (categories.size() > MOST_CATEGORIES) {
                throw new SetException.Invalid("The examples have more than " + MOST_CATEGORIES + " categories");
            }
            int withImages = (int) set.examples().stream()
                    .map(Example::images)
                    .filter(images -> !images.isEmpty())
                    .count();
            return new CalibrationSet(
                    name,
                    uploaded,
                    later.toString(),
                    created.truncatedTo(ChronoUnit.SECONDS),
                    set.examples().size(),
                    withImages,
                    categories,
                    set.digest());
        } catch (DataException e) {
            throw new SetException.Invalid(e.getMessage());
        }
    }

    /** @param folder empty, or with the set's files */
    private synchronized CalibrationSet add(Path folder, CalibrationSet set) throws IOException {
        Optional<CalibrationSet> before = find(set.name());
        if (before.isPresent()) {
            if (before.get().digest().equals(set.digest())
                    && before.get().folder().equals(set.folder())) {
                return before.get();
            }
            throw new SetException.Conflict(
                    "There is another calibration set named " + set.name() + "; delete it first or use another name");
        }
        requireRoom();
        JsonFile.write(folder.resolve(RECORD), set);
        Folders.move(folder, home.resolve(set.name()));
        return set;
    }

    private void requireRoom() {
        if (list().size() >= config.maxSets()) {
            throw new SetException.Conflict(
                    "There are " + config.maxSets() + " calibration sets already; delete one first");
        }
    }

    private static void delete(Path folder) {
        try {
            Folders.delete(folder);
        } catch (IOException e) {
            LOG.warnf("What is left in %s cannot be deleted: %s", folder, e.getMessage());
        }
    }
}
