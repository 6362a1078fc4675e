/**
 * From a conversation to tokens and images: what both serving and calibration put into a model.
 *
 * <p>{@link dev.luq.prompt.PromptBuilder} applies the chat template, makes the grammar and tokenizes; its result is a
 * {@link dev.luq.prompt.Prompt} of {@link dev.luq.prompt.PromptUnit}s, which caches compare. {@code SpecialTokenGuard}
 * keeps what users write from becoming a control token. {@code prompt.tools} tells models of tools and finds their
 * calls. A refusal is a {@link dev.luq.prompt.PromptException} that names the field.
 */
package dev.luq.prompt;
