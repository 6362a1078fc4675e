package dev.luq.http.access;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * Takes API keys out of what Linux shows of this process to others of the same user, a worker among them: its command
 * line and the environment that it was started with. Both lie in its own memory, where they are overwritten.
 */
final class ProcessSecrets {

    private static final Logger LOG = Logger.getLogger(ProcessSecrets.class);
    private static final Path SELF = Path.of("/proc/self");
    private static final Pattern KEYS = Pattern.compile("(?:luq\\.api\\.keys(?:\\[\\d+])?|LUQ_API_KEYS(?:_\\d+_)?)=");
    /** Where {@code /proc/self/stat} says where these begin, counted from the field behind the program's name. */
    private static final int ARGUMENTS = 45;

    private static final int ENVIRONMENT = 47;
    private static final int LARGEST = 8 << 20;

    private ProcessSecrets() {}

    /** Where it is not possible, nothing happens. What Java says of its environment stays. */
    static void hide() {
        // Java copies the environment when it is first asked.
        System.getenv();
        try (RandomAccessFile memory = new RandomAccessFile(SELF.resolve("mem").toFile(), "rw")) {
            String stat = Files.readString(SELF.resolve("stat"), StandardCharsets.ISO_8859_1);
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).trim().split(" ");
            hide(memory, Long.parseLong(fields[ARGUMENTS]), Long.parseLong(fields[ARGUMENTS + 1]));
            hide(memory, Long.parseLong(fields[ENVIRONMENT]), Long.parseLong(fields[ENVIRONMENT + 1]));
        } catch (IOException | RuntimeException e) {
            LOG.debugf("The command line and environment stay as they are: %s", e.getMessage());
        }
    }

    private static void hide(RandomAccessFile memory, long begin, long end) throws IOException {
        if (begin <= 0 || end <= begin || end - begin > LARGEST) {
            return;
        }
        byte[] bytes = new byte[(int) (end - begin)];
        memory.seek(begin);
        memory.readFully(bytes);
        Matcher key = KEYS.matcher(new String(bytes, StandardCharsets.ISO_8859_1));
        while (key.find()) {
            for (int at = key.end(); at < bytes.length && bytes[at] != 0; at++) {
                memory.seek(begin + at);
                memory.write('*');
            }
        }
    }
}
