package dev.luq.jobs;

import dev.luq.files.AtomicFiles;
import dev.luq.files.DamagedFileException;
import dev.luq.files.DataFolder;
import dev.luq.files.Folders;
import dev.luq.files.JsonFile;
import dev.luq.files.ProcessLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/**
 * The folders of jobs in {@code jobs} of the data folder. One without {@code record.json} is none of the server's:
 * commands that run without a server have theirs there too.
 */
final class JobFolders {

    private static final Logger LOG = Logger.getLogger(JobFolders.class);
    private static final String RECORD = "record.json";
    private static final String LOCK = "server.lock";

    private final Path root;

    JobFolders(DataFolder data) {
        this.root = data.jobs();
    }

    /** Whether there may be jobs. */
    boolean exist() {
        return Files.isDirectory(root);
    }

    /**
     * Makes this server the one that runs the jobs here; the system ends that with its process.
     *
     * @return the lock, to be closed; empty when another server has it
     * @throws IOException when the folder cannot be written
     */
    Optional<ProcessLock> lock() throws IOException {
        Folders.create(root);
        return ProcessLock.tryTake(root.resolve(LOCK));
    }

    /**
     * Records that cannot be read are logged and left out.
     *
     * @throws IOException when the folder cannot be listed
     */
    List<Job> load() throws IOException {
        return Folders.list(root, Files::isDirectory).stream()
                .flatMap(folder -> read(folder).stream())
                .toList();
    }

    private static Optional<Job> read(Path folder) {
        try {
            return JsonFile.read(folder.resolve(RECORD), Job.class)
                    .filter(job -> job.version() == Job.VERSION
                            && job.id().equals(folder.getFileName().toString()));
        } catch (DamagedFileException | UncheckedIOException e) {
            LOG.errorf(e, "The job in %s cannot be read and is left out", folder);
            return Optional.empty();
        }
    }

    Path of(String id) {
        return root.resolve(id);
    }

    /**
     * On the disk when this returns.
     *
     * @throws UncheckedIOException when the disk does not take it
     */
    Path create(String id) {
        try {
            return Folders.create(of(id));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Removes a job's folder, its record first: what is left of it then is no job.
     *
     * @throws UncheckedIOException when the disk does not let it
     */
    void delete(String id) {
        try {
            AtomicFiles.delete(of(id).resolve(RECORD));
            Folders.delete(of(id));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * On the disk when this returns.
     *
     * @throws UncheckedIOException when the disk does not take it
     */
    void save(Job job) {
        JsonFile.write(of(job.id()).resolve(RECORD), job);
    }
}
