/**
 * Decodes foreign images outside of the server: a {@link dev.luq.decoder.DecoderPool pool} of processes, each with a
 * bounded heap, a deadline for every image, no key and no part of the server's state.
 */
package dev.luq.decoder;
