package dev.luq.openai.images;

/**
 * An image as a request names it.
 *
 * @param url a data: URL
 * @param detail how closely to look
 * @param param the request field it came from, for error messages
 */
public record ImageReference(String url, Detail detail, String param) {}
