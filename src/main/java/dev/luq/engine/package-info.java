/**
 * Many generations at once with one model.
 *
 * <p>{@link dev.luq.engine.Engine} is the door and the loop. {@code Scheduler} decides and is pure: its rules are
 * numbered in its Javadoc, {@code SequenceSelection} and {@code StepBuilder} carry out two of them, {@code KvCache} keeps the
 * books of the KV cache, {@code PromptCache} of what is kept beyond it, {@code PromptFiles} keeps what later processes find.
 * {@code Effects} is what can be done to the world and {@code LlamaEffects} does it on llama.cpp.
 * A request becomes a prompt in {@code prompt.PromptBuilder}; its tokens become text and tool calls in
 * {@code OutputProcessor}.
 *
 * <p>Threads: the engine's own, {@code luq-engine}, decides, decodes, samples and calls listeners;
 * {@code luq-short-prompt}, {@code luq-long-prompt} and {@code luq-image-prompt} tokenize and preprocess images;
 * {@code luq-image} encodes them, in turns with the engine's steps ({@code Turns}), {@code luq-image-files} reads and
 * writes the embeddings of those seen before, {@code luq-prompt-reads} and {@code luq-prompt-writes} the keys and values of
 * prompts. The others only ever put events into the engine's mailbox.
 */
package dev.luq.engine;
