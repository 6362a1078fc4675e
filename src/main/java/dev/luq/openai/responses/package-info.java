/**
 * Responses, OpenAI's newer form of a conversation's answer: made of and written from the same generations as chat
 * completions. Nothing is kept: a request brings its whole conversation.
 *
 * <p>{@code ResponseRequest} is the body as it was sent, {@code ChatTranslation} makes a chat request of it;
 * {@code ResponseEvents} write a streamed answer, {@code ResponseObject} is a whole one.
 */
package dev.luq.openai.responses;
