package dev.luq.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The kernel's high-water mark of this process's resident memory, see proc(5). */
final class PeakMemory {

    private static final Path SELF = Path.of("/proc/self");

    private PeakMemory() {}

    /**
     * Sets the mark to what is resident now.
     *
     * @return that, in bytes; negative where the kernel does not do it
     */
    static long restart() {
        try {
            Files.writeString(SELF.resolve("clear_refs"), "5");
            return field("VmRSS:");
        } catch (IOException e) {
            return -1;
        }
    }

    /**
     * The mark, in bytes.
     *
     * @throws IOException where the kernel does not tell it
     */
    static long mark() throws IOException {
        return field("VmHWM:");
    }

    /** @return bytes by which the mark rose, 0 where that cannot be told */
    static long since(long restarted) {
        try {
            return restarted < 0 ? 0 : Math.max(0, mark() - restarted);
        } catch (IOException e) {
            return 0;
        }
    }

    private static long field(String name) throws IOException {
        String line = Files.readAllLines(SELF.resolve("status")).stream()
                .filter(l -> l.startsWith(name))
                .findFirst()
                .orElseThrow(() -> new IOException("no " + name + " in /proc/self/status"));
        return Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
    }
}
