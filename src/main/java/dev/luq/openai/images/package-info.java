/**
 * The pictures of a request: {@code data:} URLs, bounded in bytes, pixels and memory, decoded by {@code decoder}.
 */
package dev.luq.openai.images;
