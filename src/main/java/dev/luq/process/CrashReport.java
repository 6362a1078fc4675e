package dev.luq.process;

import dev.luq.files.PlainText;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the report of a JVM that crashed says. For the operator: it names files.
 *
 * @param signal such as {@code SIGSEGV}
 * @param frame the library and function that it happened in, such as {@code libggml-cpu.so+0x1234 ggml_vec_dot+0x12}
 * @param thread name of the Java thread that it happened in; empty for one of native code
 * @param file the report
 */
public record CrashReport(String signal, Optional<String> frame, Optional<String> thread, Path file) {

    private static final int LINES = 200;
    private static final int LONGEST = 300;

    private static final Pattern SIGNAL = Pattern.compile("#\\s+(SIG[A-Z]+) \\(0x[0-9a-f]+\\) at pc=.*");
    private static final Pattern FRAME = Pattern.compile("#\\s+[A-Za-z]+\\s+\\[([^\\]]+)\\]\\s*(.*)");
    private static final Pattern THREAD = Pattern.compile("Current thread \\(.*JavaThread \"([^\"]+)\".*");

    /**
     * @param reader of a report, of which only the beginning is read
     * @return empty when it says no signal: another fatal error of the JVM, or no report
     */
    static Optional<CrashReport> parse(BufferedReader reader, Path file) throws IOException {
        String signal = null;
        String frame = null;
        String thread = null;
        boolean frameNext = false;
        for (int i = 0; i < LINES; i++) {
            String line = line(reader);
            if (line == null) {
                break;
            }
            Matcher signalLine = SIGNAL.matcher(line);
            Matcher frameLine = FRAME.matcher(line);
            Matcher threadLine = THREAD.matcher(line);
            if (signal == null && signalLine.matches()) {
                signal = signalLine.group(1);
            } else if (frameNext) {
                frame = frameLine.matches()
                        ? frameLine.group(1) + " " + frameLine.group(2)
                        : line.replaceFirst("#\\s*", "");
                frameNext = false;
            } else if (line.startsWith("# Problematic frame:")) {
                frameNext = true;
            } else if (thread == null && threadLine.matches()) {
                thread = threadLine.group(1);
            }
        }
        return signal == null
                ? Optional.empty()
                : Optional.of(new CrashReport(
                        signal,
                        Optional.ofNullable(frame).map(text -> PlainText.of(text.strip(), LONGEST)),
                        Optional.ofNullable(thread),
                        file));
    }

    /** @return the beginning of the next line, or null at the end */
    private static String line(BufferedReader reader) throws IOException {
        StringBuilder line = new StringBuilder();
        int character = reader.read();
        if (character < 0) {
            return null;
        }
        for (int length = 0; character >= 0 && character != '\n' && length < 1 << 16; length++) {
            if (length < 2 * LONGEST) {
                line.append((char) character);
            }
            character = reader.read();
        }
        return line.toString();
    }

    /** The library that it happened in, without where in it: this much may be told to everybody. */
    Optional<String> library() {
        return frame.map(text -> text.indexOf("+0x"))
                .filter(end -> end > 0)
                .map(end -> frame.get().substring(0, end))
                .filter(name -> name.matches("[A-Za-z0-9._-]+"));
    }

    @Override
    public String toString() {
        return signal + frame.map(text -> " in " + text).orElse("") + "; its report is " + file;
    }
}
