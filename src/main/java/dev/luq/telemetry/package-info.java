/**
 * What operators see: health, and metrics for Prometheus.
 *
 * <p>{@code Metrics} is the one list of names. Meters are filled by listeners that the other rooms declare
 * ({@code GenerationListener}, {@code ModelListener}, {@code JobListener}, {@code DecoderListener}), or read at a scrape; nobody
 * imports this room.
 */
package dev.luq.telemetry;
