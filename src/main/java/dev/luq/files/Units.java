package dev.luq.files;

/** Units that people read sizes in. */
public final class Units {

    /** Bytes of a mebibyte. */
    public static final double MIB = 1 << 20;

    /** Bytes of a gibibyte. */
    public static final double GIB = 1 << 30;

    private Units() {}
}
