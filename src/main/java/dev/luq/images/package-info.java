/**
 * Picture files: what their headers say, and their pixels.
 *
 * <p>{@link dev.luq.images.ImageHeader} judges a file in time linear in its bytes, without decoding anything;
 * {@link dev.luq.images.ImageDecoder} decodes one whose structure was found sound, and belongs into a process that can be ended.
 * PNG, JPEG, WEBP and GIF.
 */
package dev.luq.images;
