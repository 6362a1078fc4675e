package dev.luq.filecache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.BusyProcess;
import dev.luq.Integration;
import dev.luq.Seeds;
import dev.luq.SmallDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What kill -9 and a full disk leave behind. */
@Integration
class CachedFilesCrashTest {

    private static final int KILLS = 8;
    private static final int BYTES = 300_000;

    @TempDir
    Path directory;

    private static CachedFiles files(Path directory, String cache) throws IOException {
        Path mmproj = Files.writeString(directory.resolve("mmproj.gguf"), "a projector");
        FileCache folder = new FileCache(directory.resolve(cache), 10L * BYTES);
        return new CachedFiles(folder, new EncoderIdentity("model", mmproj, List.of()), "numbers");
    }

    private static ByteBuffer content(int number) {
        byte[] bytes = new byte[BYTES];
        Arrays.fill(bytes, (byte) number);
        return ByteBuffer.wrap(bytes);
    }

    /** Writes without end. Says so when it has begun. */
    public static final class Writer {
        public static void main(String[] arguments) throws IOException {
            CachedFiles files = files(Path.of(arguments[0]), "cache");
            for (int number = Integer.parseInt(arguments[1]); ; number++) {
                files.write("file " + number, content(number));
                if (number % 100 == 1) {
                    System.out.write('!');
                    System.out.flush();
                }
            }
        }
    }

    @Test
    void afterAKillAtAnyMomentWhatIsThereIsWholeAndOthersGoOn() throws Exception {
        SplittableRandom random = new SplittableRandom(Seeds.draw(CachedFilesCrashTest.class));
        for (int kill = 0; kill < KILLS; kill++) {
            BusyProcess writer = BusyProcess.start(Writer.class, directory.toString(), Integer.toString(1000 * kill));
            try {
                Thread.sleep(random.nextLong(100));
            } finally {
                writer.kill();
            }
            CachedFiles next = files(directory, "cache");
            next.open();
            int whole = 0;
            for (int number = 0; number < 1000 * (kill + 1); number++) {
                String name = "file " + number;
                if (next.has(name)) {
                    ByteBuffer read = ByteBuffer.allocate(BYTES);
                    assertTrue(next.read(name, read), "what has its name is whole");
                    assertEquals(content(number), read);
                    whole++;
                }
            }
            assertTrue(whole > 0 && whole <= 10, whole + " files");
        }
    }

    @Test
    void onAFullDiskNothingIsKeptAndLaterSomethingIs() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(directory.resolve("cache"), 2 * BYTES)) {
            CachedFiles files = files(directory, "cache");
            files.write("first", content(1));
            files.write("second", content(2));
            assertTrue(files.has("first"));
            assertEquals(1, count(disk.path()), "no part of the second");
            files.remove("first");
            files.write("second", content(2));
            assertTrue(files.has("second"));
        }
    }

    /** Files, whole or not. */
    private static long count(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder, 2)) {
            return all.filter(file -> Files.isRegularFile(file) && !file.endsWith("usage"))
                    .count();
        }
    }
}
