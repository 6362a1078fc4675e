package dev.luq.serving;

/** How one process takes the place of another. */
public enum SwapMode {
    /** The next one starts beside the one that serves: no request waits, both are in memory for a while. */
    OVERLAP,
    /** The one that serves ends first: requests wait for the next one, memory holds one of them. */
    PAUSE,
    /** Overlap where the memory suffices for both, pause otherwise. */
    AUTO
}
