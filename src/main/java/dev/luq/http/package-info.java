/**
 * What every request over HTTP meets before its resource: connections, access, its body, and the form of errors.
 *
 * <p>In this order: {@code connections} counts and closes connections; {@link dev.luq.http.HttpRoutes} gives the request an id;
 * {@code access} refuses strange paths and pages of other sites, finds out who asks, and what that caller may do; {@code intake}
 * takes the body. {@code openai}, {@code admin} and {@code telemetry} have the resources and share no more than this room. No
 * thread is held by a request that waits for its client.
 */
package dev.luq.http;
