/**
 * Bounds of connections: how many one address may have, and how long one may be of no use.
 */
package dev.luq.http.connections;
