/**
 * What a re-quantization is asked to do and how far it is, as JSON in its job folder. Free of native code: the server
 * writes the one and reads the other.
 */
package dev.luq.requant.spec;
