/**
 * JSON schemas of clients: what of them is accepted, what their regular expressions mean, and which values they
 * describe. The server asks before it hands a schema on, with the meaning of its expressions; the worker makes a
 * grammar of them, and asks whether what a model wrote freely fits.
 */
package dev.luq.schema;
