/**
 * The pictures of a request: {@code data:} URLs and, where that is enabled, {@code http(s):} and {@code file:} URLs,
 * bounded in bytes, pixels, memory and time, decoded by {@code decoder}.
 */
package dev.luq.openai.images;
