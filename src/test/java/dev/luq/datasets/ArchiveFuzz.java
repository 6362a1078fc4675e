package dev.luq.datasets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.fuzz.Scratch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** An archive is refused, or unpacked into its folder within the limits. */
public final class ArchiveFuzz implements FuzzTarget {

    private static final long MOST_BYTES = 1 << 18;
    private static final int MOST_FILES = 8;

    @Override
    public String name() {
        return "zip";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                TestArchives.zip(TestArchives.set()),
                TestArchives.zip(Map.of("set/set.jsonl", "{}\n".repeat(50).getBytes(UTF_8))),
                TestArchives.zip(Map.of("a.png", new byte[1000], "a.png/b.png", new byte[1])),
                TestArchives.zip(TestArchives.set(), "link.png", 0120777, "/etc/passwd".getBytes(UTF_8)),
                TestArchives.zip(Map.of("\u00e9".repeat(200) + ".png", new byte[1])),
                TestArchives.zip(Map.of("zeros.png", new byte[1 << 19])));
    }

    @Override
    public void run(byte[] input) throws IOException {
        try (Scratch scratch = new Scratch()) {
            Path target = Files.createDirectory(scratch.folder().resolve("files"));
            try {
                Path set = new Archive(MOST_BYTES, MOST_FILES).unpack(scratch.write("upload.zip", input), target);
                assertTrue(set.startsWith(target), "the set's folder");
            } catch (SetException.Invalid | SetException.TooLarge refused) {
                assertFalse(refused.getMessage().contains(scratch.folder().toString()), refused.getMessage());
            }
            requireWithinLimits(target);
            try (Stream<Path> beside = Files.list(scratch.folder())) {
                assertTrue(beside.count() == 2, "something was written beside the folder");
            }
        }
    }

    private static void requireWithinLimits(Path target) throws IOException {
        long bytes = 0;
        int files = 0;
        try (Stream<Path> all = Files.walk(target)) {
            for (Path path : all.toList()) {
                assertFalse(Files.isSymbolicLink(path), "a link");
                if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    files++;
                    bytes += Files.size(path);
                }
            }
        }
        assertTrue(bytes <= MOST_BYTES, bytes + " bytes");
        assertTrue(files <= MOST_FILES, files + " files");
    }
}
