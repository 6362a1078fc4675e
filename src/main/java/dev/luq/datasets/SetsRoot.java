package dev.luq.datasets;

import dev.luq.files.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The folder of the machine's own sets. Any folder below it may be named as a set; one that lies directly in it and holds
 * a {@code *.jsonl} file is a set by its own name. Nothing outside is reached, also not through links.
 */
final class SetsRoot {

    private final Optional<Path> root;

    /** @param root empty when none is configured; it need not exist */
    SetsRoot(Optional<Path> root) {
        this.root = root;
    }

    /**
     * A folder to be named as a set.
     *
     * @param folder relative to the root
     * @return without links
     * @throws SetException.Invalid when there is no root, or no such folder below it
     */
    Path below(String folder) throws IOException {
        Path configured = root.orElseThrow(() -> new SetException.Invalid(
                "No folder may be named: luq.sets.root is not configured. Upload the set as a zip archive"));
        try {
            Path real = configured.toRealPath();
            Path named = real.resolve(folder).normalize();
            if (named.startsWith(real)
                    && Files.isDirectory(named)
                    && named.toRealPath().startsWith(real)) {
                return named.toRealPath();
            }
        } catch (InvalidPathException | NoSuchFileException e) {
            // there is none, as below
        }
        throw new SetException.Invalid("There is no such folder below luq.sets.root");
    }

    /**
     * The folder that is a set by this name.
     *
     * @param name a set's name, so that it has no separators
     * @return without links; empty when there is none
     */
    Optional<Path> set(String name) throws IOException {
        if (root.isEmpty() || !Files.isDirectory(root.get())) {
            return Optional.empty();
        }
        Path folder = root.get().toRealPath().resolve(name);
        return isSet(folder) ? Optional.of(folder) : Optional.empty();
    }

    /** All folders that are sets by their own names, in no order; names need not be those that sets may have. */
    List<Path> sets() throws IOException {
        return root.isPresent() && Files.isDirectory(root.get())
                ? Folders.list(root.get().toRealPath(), SetsRoot::isSet)
                : List.of();
    }

    private static boolean isSet(Path folder) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || !Files.isReadable(folder)) {
            return false;
        }
        return Folders.list(folder).stream()
                .anyMatch(file -> file.getFileName().toString().endsWith(".jsonl")
                        && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
    }
}
