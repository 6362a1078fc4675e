/**
 * Tools: how a model is told of those that it may call, and how its calls are found in what it generates.
 *
 * <p>{@code ToolMessages} describes them where the model's chat template does not; {@code CallGrammar} constrains
 * calls; {@code CallFinder} finds them in the text, and {@code AnswerParser} puts it behind the parser of the template.
 */
package dev.luq.prompt.tools;
