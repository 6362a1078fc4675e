/**
 * Anthropic's Messages API: its requests as chat requests, its answers, events and errors.
 *
 * <p>{@link dev.luq.anthropic.MessagesResource} is the entrance. {@code MessagesRequest} is the body as it was sent; {@code
 * ChatTranslation} makes a chat request of it, which goes the way of all; {@code Message} and {@code MessageEvents} write the
 * answer.
 */
package dev.luq.anthropic;
