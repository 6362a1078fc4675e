/**
 * What llama-server has beside OpenAI's API, in its form: completions of its own, tokens, templates, properties, slots.
 * What it answers that this server does not know is left out; what a request asks for that changes the answer and is not
 * there is refused by name.
 */
package dev.luq.openai.llamaserver;
