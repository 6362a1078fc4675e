/**
 * What the server and a decoder process say to each other, over standard input and output.
 */
package dev.luq.decoder.protocol;
