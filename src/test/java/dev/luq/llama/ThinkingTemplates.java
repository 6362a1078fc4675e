package dev.luq.llama;

/** Chat templates that say what thoughts stand between. */
public final class ThinkingTemplates {

    public static final String PLAIN =
            """
            {%- for m in messages -%}
            <|im_start|>{{ m.role }}
            {% if m.reasoning_content %}<think>
            {{ m.reasoning_content }}
            </think>

            {% endif %}{{ m.content }}<|im_end|>
            {% endfor -%}
            {%- if add_generation_prompt %}<|im_start|>assistant
            {% endif -%}
            """;

    /** Its prompts end within thoughts. */
    public static final String OPEN = PLAIN.replace("assistant\n{% endif -%}", "assistant\n<think>\n{% endif -%}");

    private ThinkingTemplates() {}
}
