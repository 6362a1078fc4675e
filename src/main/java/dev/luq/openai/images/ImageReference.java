package dev.luq.openai.images;

/**
 * An image as a request names it.
 *
 * @param url where it is; {@link ImageSources} knows the schemes
 * @param detail how closely to look
 * @param param the request field it came from, for error messages
 */
public record ImageReference(String url, Detail detail, String param) {}
