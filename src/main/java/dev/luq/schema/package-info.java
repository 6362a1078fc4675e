/**
 * JSON schemas of clients: what of them is accepted, and what their regular expressions mean. The server asks
 * before it hands a schema on, with the meaning of its expressions; the worker makes a grammar of them.
 */
package dev.luq.schema;
