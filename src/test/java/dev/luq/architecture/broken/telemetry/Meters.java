package dev.luq.architecture.broken.telemetry;

/** Nobody may use this. */
public class Meters {}
