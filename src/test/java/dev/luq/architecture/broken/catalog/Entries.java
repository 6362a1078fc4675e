package dev.luq.architecture.broken.catalog;

import dev.luq.architecture.broken.telemetry.Meters;

/** Measures itself. */
public class Entries {
    public Meters meters;
}
