package dev.luq.cli;

import dev.luq.luq.spec.Phase;
import java.io.PrintStream;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * A job's progress for a person: one line that is drawn again and again on a terminal, lines now and then elsewhere. Not
 * thread-safe.
 */
final class ProgressBar {

    private static final int LABELS = 34;
    private static final int WIDEST = 60;
    private static final int STEP = 10;

    private final PrintStream out;
    private final int width;
    private String phase = "";
    private int lastStep = -1;
    private boolean drawn;

    /** @param width columns of the terminal; 0 when there is none */
    ProgressBar(PrintStream out, int width) {
        this.out = out;
        this.width = width;
    }

    /** On standard error; the launcher says whether that is a terminal. */
    static ProgressBar forStandardError() {
        return new ProgressBar(System.err, Integer.getInteger("luq.terminal-width", 0));
    }

    void phase(Phase next) {
        phase = next.name().toLowerCase(Locale.ROOT);
        if (width == 0) {
            out.println("luq: " + phase);
        }
    }

    /** @param share of the whole, 0 to 1 */
    void progress(double share, OptionalLong secondsLeft) {
        int percent = (int) Math.floor(100 * share);
        if (width > 0) {
            out.print("\r" + line(percent, secondsLeft));
            out.flush();
            drawn = true;
        } else if (percent / STEP != lastStep) {
            lastStep = percent / STEP;
            out.println("luq: " + percent + " %" + secondsLeft.stream().mapToObj(s -> ", " + time(s) + " left").findFirst().orElse(""));
        }
    }

    /** Prints a line without disturbing the bar. */
    void message(String text) {
        clear();
        out.println("luq: " + text);
    }

    /** Takes the bar away. */
    void clear() {
        if (drawn) {
            out.print("\r" + " ".repeat(width - 1) + "\r");
            out.flush();
            drawn = false;
        }
    }

    private String line(int percent, OptionalLong secondsLeft) {
        String left = secondsLeft.isPresent() ? time(secondsLeft.getAsLong()) + " left" : "";
        String labels = String.format(Locale.ROOT, "%3d %%  %-10s %12s", percent, phase, left);
        int room = Math.min(WIDEST, width - 1 - LABELS);
        String bar = room < 5 ? "" : "[" + "#".repeat((room - 2) * percent / 100)
                + "-".repeat(room - 2 - (room - 2) * percent / 100) + "] ";
        String line = bar + labels;
        return line.length() < width ? line : line.substring(0, width - 1);
    }

    /** As 0:07, 12:34 or 1:02:03. */
    static String time(long seconds) {
        return seconds < 3600 ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
