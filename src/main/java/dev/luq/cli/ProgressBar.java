package dev.luq.cli;

import dev.luq.requant.spec.Phase;
import java.io.PrintStream;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * A job's progress for a person: one line that is drawn again and again on a terminal, elsewhere lines now and then, and
 * one each half a minute in any case. Thread-safe.
 */
public final class ProgressBar {

    private static final int LABELS = 34;
    private static final int WIDEST = 60;
    private static final int STEP = 10;
    /** Longest silence where there is no terminal. */
    private static final long SILENCE_NANOS = 30_000_000_000L;

    private final PrintStream out;
    private final int width;
    private final LongSupplier clock;
    private String phase = "";
    private int lastStep = -1;
    private long lastLine;
    private int percent;
    private OptionalLong secondsLeft = OptionalLong.empty();
    private boolean drawn;

    /** @param width columns of the terminal; 0 when there is none */
    public ProgressBar(PrintStream out, int width) {
        this(out, width, System::nanoTime);
    }

    /** @param clock in nanoseconds */
    public ProgressBar(PrintStream out, int width, LongSupplier clock) {
        this.out = out;
        this.width = width;
        this.clock = clock;
        this.lastLine = clock.getAsLong();
    }

    /** On standard error; the launcher says whether that is a terminal. */
    public static ProgressBar forStandardError() {
        ProgressBar bar = new ProgressBar(System.err, Integer.getInteger("luq.terminal-width", 0));
        if (bar.width == 0) {
            Thread clock = new Thread(bar::tickForEver, "luq-progress");
            clock.setDaemon(true);
            clock.start();
        }
        return bar;
    }

    private void tickForEver() {
        try {
            while (true) {
                Thread.sleep(1000);
                tick();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Time has passed. */
    public synchronized void tick() {
        if (width == 0 && lastStep >= 0 && clock.getAsLong() - lastLine >= SILENCE_NANOS) {
            printLine();
        }
    }

    private void printLine() {
        lastStep = percent / STEP;
        lastLine = clock.getAsLong();
        out.println("luq: " + percent + " %"
                + secondsLeft.stream()
                        .mapToObj(s -> ", " + time(s) + " left")
                        .findFirst()
                        .orElse(""));
    }

    public synchronized void phase(Phase next) {
        phase = next.name().toLowerCase(Locale.ROOT);
        if (width == 0) {
            out.println("luq: " + phase);
        }
    }

    /** @param share of the whole, 0 to 1 */
    public synchronized void progress(double share, OptionalLong left) {
        percent = (int) Math.floor(100 * share);
        secondsLeft = left;
        if (width > 0) {
            out.print("\r" + line(percent, secondsLeft));
            out.flush();
            drawn = true;
        } else if (percent / STEP != lastStep) {
            printLine();
        } else {
            tick();
        }
    }

    /** Prints a line without disturbing the bar. */
    public synchronized void message(String text) {
        clear();
        out.println("luq: " + text);
    }

    /** Takes the bar away. */
    public synchronized void clear() {
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
        String bar = room < 5
                ? ""
                : "[" + "#".repeat((room - 2) * percent / 100) + "-".repeat(room - 2 - (room - 2) * percent / 100)
                        + "] ";
        String line = bar + labels;
        return line.length() < width ? line : line.substring(0, width - 1);
    }

    /** As 0:07, 12:34 or 1:02:03. */
    public static String time(long seconds) {
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
