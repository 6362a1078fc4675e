package dev.luq;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The child processes of a test. */
public final class Children {

    private Children() {}

    /**
     * Those whose command line, of which {@link ProcessHandle} knows the beginning only, has all these parts.
     */
    public static List<ProcessHandle> with(String... parts) {
        return of(ProcessHandle.current(), parts);
    }

    /** The same of another process. */
    public static List<ProcessHandle> of(ProcessHandle parent, String... parts) {
        return parent.children()
                .filter(child -> {
                    try {
                        String line = Files.readString(
                                Path.of("/proc", Long.toString(child.pid()), "cmdline"), StandardCharsets.ISO_8859_1);
                        return List.of(parts).stream().allMatch(line::contains);
                    } catch (IOException e) {
                        return false; // just ended
                    }
                })
                .toList();
    }
}
