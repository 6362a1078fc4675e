package dev.luq.filecache;

import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * What tells a file from one that took its place, without reading it.
 *
 * @param size in bytes
 * @param modified time of change in milliseconds
 */
@RegisterForReflection
record FileStamp(String path, long size, long modified) {

    /** Of a file as it is now. */
    static FileStamp of(Path file) throws IOException {
        BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileStamp(file.toString(), now.size(), now.lastModifiedTime().toMillis());
    }

    boolean isUnchanged() {
        try {
            return equals(of(Path.of(path)));
        } catch (IOException e) {
            return false;
        }
    }
}
