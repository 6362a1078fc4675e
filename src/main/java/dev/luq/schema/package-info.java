/**
 * JSON schemas of clients: what of them is accepted, and what their regular expressions mean. The server asks before it
 * hands a schema on, the worker when it makes a grammar of it.
 */
package dev.luq.schema;
