package dev.luq.luq.plan;

/** Units that people read sizes in. */
public final class Units {

    /** Bytes of a mebibyte. */
    public static final double MIB = 1 << 20;

    private Units() {
    }
}
