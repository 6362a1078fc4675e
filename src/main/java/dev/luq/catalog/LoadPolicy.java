package dev.luq.catalog;

import java.util.Locale;

/** When a model is loaded. */
public enum LoadPolicy {

    /** With the server, or as soon as it is registered. */
    START,

    /** When a request for it comes. */
    DEMAND;

    /** The name in configuration and JSON, such as {@code demand}. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
