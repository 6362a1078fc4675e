package dev.luq.prompt.tools;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.llama.ChatPrompt;
import dev.luq.llama.ChatTemplates;
import java.util.Map;

/** How the calls of an answer are constrained, and found in it. */
public enum ToolCalling {
    /**
     * The answer is a call, or one or what a schema describes, from its first token on. llama.cpp's grammars of
     * templates let text come before a call that is required, which models then write without end.
     */
    AT_ONCE(CallFinder.Form.CONSTRAINED),
    /** As the chat template has it, and what the model writes besides. */
    OF_TEMPLATE(CallFinder.Form.FREE),
    /** As {@link ToolMessages} tells the model. */
    IN_TAGS(CallFinder.Form.CONSTRAINED_IN_TAGS);

    private final CallFinder.Form form;

    ToolCalling(CallFinder.Form form) {
        this.form = form;
    }

    /**
     * @param followsSchema whether an answer that is no call follows a schema
     * @param templateKnowsTools see {@link ChatTemplates#supportsTools}
     */
    public static ToolCalling of(ToolSet tools, boolean followsSchema, boolean templateKnowsTools) {
        return tools.required() || followsSchema ? AT_ONCE : templateKnowsTools ? OF_TEMPLATE : IN_TAGS;
    }

    /**
     * The prompt with the grammar of its calls.
     *
     * @param answer schema of an answer that is no call, or null
     * @param patterns see {@link dev.luq.llama.Schemas#toGrammar}
     * @throws dev.luq.llama.LlamaException as {@link dev.luq.llama.Schemas#toGrammar} does
     */
    public ChatPrompt constrain(ChatPrompt prompt, ToolSet tools, JsonNode answer, Map<String, String> patterns) {
        return switch (this) {
            case OF_TEMPLATE -> prompt;
            case AT_ONCE -> prompt.with(CallGrammar.atOnce(tools, tools.required() ? null : answer, patterns));
            case IN_TAGS -> prompt.with(CallGrammar.whenCalled(tools, patterns));
        };
    }

    /** A parser for what is generated after a prompt; the caller closes it. */
    public AnswerParser parser(ChatTemplates templates, ChatPrompt prompt, ToolSet tools) {
        return new AnswerParser(
                this == OF_TEMPLATE ? templates.parser(prompt) : null, new CallFinder(tools, form), tools.required());
    }
}
