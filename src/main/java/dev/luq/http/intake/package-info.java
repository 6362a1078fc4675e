/**
 * The way of a request's body into the server: bounded in bytes, memory and time, and holding no thread while it comes.
 */
package dev.luq.http.intake;
