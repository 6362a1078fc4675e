/**
 * What runs in a decoder process: one foreign picture after the other becomes plain pixels.
 *
 * <p>Imports nothing of the server but what crosses the pipe. {@link dev.luq.decoder.child.DecoderMain} is its main class.
 */
package dev.luq.decoder.child;
