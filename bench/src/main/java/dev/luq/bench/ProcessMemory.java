package dev.luq.bench;

import dev.luq.cli.CliException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Resident memory of a process, in bytes.
 *
 * @param resident pages in memory (RSS), shared ones counted in full
 * @param proportional the same with shared pages divided by the number of processes that share them (PSS)
 * @param modelResident of resident, pages of mapped GGUF files
 * @param modelProportional of proportional, pages of mapped GGUF files
 */
record ProcessMemory(long resident, long proportional, long modelResident, long modelProportional) {

    private static final Pattern MAPPING = Pattern.compile("[0-9a-f]+-[0-9a-f]+ \\S+ \\S+ \\S+ \\S+\\s*(.*)");
    private static final Pattern FIELD = Pattern.compile("(Rss|Pss):\\s+(\\d+) kB");

    /** @throws CliException when the kernel does not tell, as for other users' processes */
    static ProcessMemory of(long pid) {
        try {
            return parse(Files.readAllLines(Path.of("/proc", Long.toString(pid), "smaps")));
        } catch (IOException e) {
            throw new CliException("The memory of process " + pid + " cannot be read.", e);
        }
    }

    /** @param smaps as in proc(5) */
    static ProcessMemory parse(List<String> smaps) {
        long[] resident = new long[2];
        long[] proportional = new long[2];
        int kind = 0;
        for (String line : smaps) {
            Matcher field = FIELD.matcher(line);
            if (field.matches()) {
                long bytes = Long.parseLong(field.group(2)) * 1024;
                (field.group(1).equals("Rss") ? resident : proportional)[kind] += bytes;
                continue;
            }
            Matcher mapping = MAPPING.matcher(line);
            if (mapping.matches()) {
                kind = mapping.group(1).endsWith(".gguf") ? 1 : 0;
            }
        }
        return new ProcessMemory(
                resident[0] + resident[1], proportional[0] + proportional[1], resident[1], proportional[1]);
    }

    long residentWithoutModel() {
        return resident - modelResident;
    }

    long proportionalWithoutModel() {
        return proportional - modelProportional;
    }
}
