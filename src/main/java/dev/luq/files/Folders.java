package dev.luq.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/** Folders with all that is in them. */
public final class Folders {

    private Folders() {}

    /**
     * Makes a folder and those above it, unless they are there; durable when it returns.
     *
     * @return the folder
     */
    public static Path create(Path folder) throws IOException {
        Path absolute = folder.toAbsolutePath();
        if (!Files.isDirectory(absolute)) {
            if (absolute.getParent() != null) {
                create(absolute.getParent());
            }
            // Somebody else may be making it too.
            Files.createDirectories(absolute);
            force(absolute.getParent());
        }
        return folder;
    }

    /**
     * What is directly in a folder, in no order.
     *
     * @throws IOException also where it cannot be read to its end, which Java's own listings tell in other ways
     */
    public static List<Path> list(Path folder, DirectoryStream.Filter<Path> filter) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, filter)) {
            stream.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return found;
    }

    /** The same without a filter. */
    public static List<Path> list(Path folder) throws IOException {
        return list(folder, file -> true);
    }

    /**
     * Gives a folder another name on the same disk; durable when it returns. What is in it is not forced to the disk.
     *
     * @param target must not exist, unless as an empty folder
     */
    public static void move(Path folder, Path target) throws IOException {
        Files.move(folder, target, StandardCopyOption.ATOMIC_MOVE);
        Path from = folder.toAbsolutePath().getParent();
        Path to = target.toAbsolutePath().getParent();
        force(to);
        if (!from.equals(to)) {
            force(from);
        }
    }

    /** Forces to the disk which files are in a folder, but not what is in them. */
    public static void force(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Forces a folder and all that is in it to the disk. Holds no links. */
    public static void forceAll(Path folder) throws IOException {
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                force(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                force(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /**
     * Deletes a folder and all in it, if it is there. Links are deleted; what they point to stays.
     *
     * @throws IOException at the first file that cannot be deleted; what was deleted before is gone
     */
    public static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
