package dev.luq.engine;

import java.util.function.Supplier;

/**
 * Something to be known about a prompt without generating, found on a thread that prepares prompts.
 *
 * @param id unique among the requests in flight
 * @param client who it is for: clients take turns; null is one too
 * @param length of its texts, in characters and tokens
 * @param images whether there are some
 * @param work finds it; what it throws fails the query
 */
public record Query<T>(String id, String client, long length, boolean images, Supplier<T> work) {}
