package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.global.llama;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;

/** Strings and reasons across the border to C. */
final class Native {

    private static final Pattern ABSOLUTE_PATH = Pattern.compile("(?<![\\w./])/(?:[^\\s'\"/]+/)+[^\\s'\"/]+");
    /** llama.cpp puts the names of its functions before what it says. */
    private static final Pattern FUNCTION = Pattern.compile("^(?:[a-z_0-9]+: )+");

    /** The system's loader puts the library that needs another one before what it says. */
    private static final Pattern LIBRARY = Pattern.compile("^/\\S+: ");

    private static final Pattern ERROR = Pattern.compile("(?i)^(?:error: |error loading model: )+");

    private Native() {}

    /** A zero-terminated copy that the caller closes. */
    static BytePointer utf8(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        BytePointer pointer = new BytePointer(bytes.length + 1L);
        return pointer.put(bytes, 0, bytes.length).put(bytes.length, (byte) 0);
    }

    /** Takes over a string that the shim allocated. */
    static String take(BytePointer text) {
        try {
            return text.getString(UTF_8);
        } finally {
            llama.luq_string_free(text);
        }
    }

    /** Reason of the shim's last failure on this thread. */
    static String lastError() {
        return plain(llama.luq_last_error().getString(UTF_8), List.of());
    }

    /** Whether that failure was a limit: the input is valid, but costs more than it may. */
    static boolean lastErrorIsLimit() {
        return llama.luq_last_error_is_limit();
    }

    /** From here on {@link #loggedReason} tells what this thread logs as an error. */
    static void clearLoggedErrors() {
        llama.luq_log_errors_clear();
    }

    /**
     * The first error that llama.cpp logged on this thread: later ones only report its consequences.
     *
     * @param fallback when nothing was logged
     * @param files their names are replaced
     */
    static String loggedReason(String fallback, List<Path> files) {
        String logged = llama.luq_log_errors().getString(UTF_8).strip();
        // Some errors come in a frame of equal signs.
        return logged.lines()
                .filter(line -> line.chars().anyMatch(Character::isLetter))
                .findFirst()
                .map(line -> plain(line, files))
                .orElse(fallback);
    }

    /**
     * Why libraries were not loaded, as the system's loader says it: {@code libgomp.so.1: cannot open shared object file}.
     * JavaCPP says which folders it looked into, and that in the cause.
     */
    static String linkReason(UnsatisfiedLinkError error) {
        Throwable first = error;
        while (first.getCause() != null) {
            first = first.getCause();
        }
        return plain(LIBRARY.matcher(String.valueOf(first.getMessage())).replaceFirst(""), List.of());
    }

    private static String plain(String message, List<Path> files) {
        String text = message.strip();
        for (Path file : files) {
            text = text.replace(file.toString(), "the file");
        }
        text = ABSOLUTE_PATH.matcher(text).replaceAll("the file");
        text = FUNCTION.matcher(text).replaceFirst("");
        return ERROR.matcher(text).replaceFirst("");
    }
}
