package dev.luq.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Small files in which the system tells about itself, such as those of {@code /proc}. */
public final class SystemFiles {

    private SystemFiles() {}

    /** Lines of a file; none where there is no such file, or it cannot be read. */
    public static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
