/**
 * Examples on their way through a model: the prompt as serving builds it, the image encoded, the right answer after it
 * as if the model had said it (teacher forcing). Listener and tap get what the model computes.
 */
package dev.luq.requant.feed;
