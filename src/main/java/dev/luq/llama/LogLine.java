package dev.luq.llama;

/** One line of llama.cpp's log, without its line end. */
public record LogLine(Level level, String text) {

    /** Severity, as ggml names it. */
    public enum Level {
        DEBUG,
        INFO,
        WARN,
        ERROR;

        static Level of(int ggmlLevel) {
            return switch (ggmlLevel) {
                case 1 -> DEBUG;
                case 3 -> WARN;
                case 4 -> ERROR;
                default -> INFO;
            };
        }
    }
}
