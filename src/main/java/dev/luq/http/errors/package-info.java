/**
 * What a client is told when a request fails: {@link dev.luq.http.errors.Errors} decides, for all of {@code /v1}.
 *
 * <p>An {@link dev.luq.http.errors.ApiException} is thrown by code that answers HTTP. Failures of other rooms
 * ({@code WorkerException}, {@code DecoderException}) get their status and code here or where they are caught.
 */
package dev.luq.http.errors;
