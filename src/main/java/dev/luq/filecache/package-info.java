/**
 * Caches that outlive a process: what models computed of pictures and prompts, as files that later workers find again.
 *
 * <p>{@link dev.luq.filecache.FileCache} is a folder with a bound, which workers share and the server tidies.
 * {@link dev.luq.filecache.CachedFiles} are those files in it that one {@link dev.luq.filecache.Producer} made, for the worker
 * that has it: {@link dev.luq.filecache.EncoderIdentity} of embeddings of images,
 * {@link dev.luq.filecache.LanguageModelIdentity} of keys and values of prompts. {@link dev.luq.filecache.SampledFile} is
 * how they know files too large to be read. The room knows neither llama.cpp nor
 * images nor prompts: names and bytes come from its users.
 */
package dev.luq.filecache;
