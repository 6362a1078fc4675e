package dev.luq.bench.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a process holds at a moment, as proc(5) tells.
 *
 * @param resident bytes in memory
 * @param descriptors open files and sockets
 * @param threads of it
 * @param children processes that it started and that still are; workers among them
 * @param zombies of them, those that ended and that it did not take notice of
 */
record Vitals(long resident, int descriptors, int threads, int children, int zombies) {

    /** @return empty when the process is gone */
    static Optional<Vitals> of(ProcessHandle process) {
        Path proc = Path.of("/proc", Long.toString(process.pid()));
        try (Stream<Path> descriptors = Files.list(proc.resolve("fd"))) {
            String status = Files.readString(proc.resolve("status"));
            int children = 0;
            int zombies = 0;
            for (ProcessHandle child : process.children().toList()) {
                children++;
                zombies += isZombie(child) ? 1 : 0;
            }
            return Optional.of(new Vitals(
                    field(status, "VmRSS:") * 1024,
                    (int) descriptors.count(),
                    (int) field(status, "Threads:"),
                    children,
                    zombies));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static boolean isZombie(ProcessHandle child) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(child.pid()), "status"))
                    .contains("\nState:\tZ");
        } catch (IOException e) {
            return false; // gone for good
        }
    }

    private static long field(String status, String name) throws IOException {
        return status.lines()
                .filter(line -> line.startsWith(name))
                .findFirst()
                .map(line -> Long.parseLong(line.replaceAll("\\D+", "")))
                .orElseThrow(() -> new IOException("no " + name));
    }
}
