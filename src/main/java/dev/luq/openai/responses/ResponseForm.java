package dev.luq.openai.responses;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiError;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.Usage;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.openai.responses.ResponseObject.Failure;
import dev.luq.openai.responses.ResponseObject.IncompleteDetails;
import dev.luq.openai.responses.ResponseObject.Reasoning;
import dev.luq.openai.responses.ResponseObject.ResponseUsage;
import dev.luq.openai.responses.ResponseObject.TextSettings;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.WorkerFrame.Finished;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What one response has in every state: its id, and what the request asked for but its input.
 *
 * @param maxTokens null for as many as the context holds
 * @param toolChoice a word or an object
 * @param effort of reasoning, null where none was asked for
 */
record ResponseForm(
        CompletionHeader header,
        String instructions,
        Integer maxTokens,
        Sampling sampling,
        int topLogprobs,
        JsonNode format,
        List<ResponseRequest.Tool> tools,
        Object toolChoice,
        boolean parallelToolCalls,
        String effort,
        Map<String, String> metadata) {

    /**
     * Characters of a member of a format or of a choice that is told in the answer, which says it several times. Only
     * schemas may be longer, which are checked.
     */
    private static final int LONGEST_TOLD = 4096;

    private static final JsonNode PLAIN = JsonNodeFactory.instance.objectNode().put("type", "text");

    static ResponseForm of(CompletionHeader header, ResponseRequest request, ValidRequest valid) {
        return new ResponseForm(
                header,
                request.instructions(),
                valid.maxTokens() == 0 ? null : valid.maxTokens(),
                valid.sampling(),
                Math.max(0, valid.topLogprobs()),
                format(request.text() == null ? null : request.text().get("format")),
                Objects.requireNonNullElse(request.tools(), List.of()),
                choice(request.toolChoice()),
                Check.flag(request.parallelToolCalls(), true),
                request.reasoning() == null ? null : request.reasoning().effort(),
                Objects.requireNonNullElse(request.metadata(), Map.of()));
    }

    private static JsonNode format(JsonNode asked) {
        if (Check.isNull(asked)) {
            return PLAIN;
        }
        ObjectNode told = told(asked, "type", "name", "description", "strict");
        if (asked.path("type").asText().equals("json_schema") && asked.has("schema")) {
            told.set("schema", asked.get("schema"));
        }
        return told;
    }

    private static Object choice(JsonNode asked) {
        if (Check.isNull(asked)) {
            return "auto";
        }
        if (!asked.isObject()) {
            return asked;
        }
        ObjectNode told = told(asked, "type", "name", "mode");
        if (asked.has("tools")) {
            Set<String> names = new LinkedHashSet<>(); // each is a tool's
            asked.get("tools").forEach(tool -> names.add(tool.path("name").asText()));
            ArrayNode tools = told.putArray("tools");
            names.forEach(name -> tools.addObject().put("type", "function").put("name", name));
        }
        return told;
    }

    /** These members where they are short. */
    private static ObjectNode told(JsonNode asked, String... members) {
        ObjectNode told = JsonNodeFactory.instance.objectNode();
        for (String member : members) {
            JsonNode value = asked.path(member);
            if (value.isValueNode() && value.asText().length() <= LONGEST_TOLD) {
                told.set(member, value);
            }
        }
        return told;
    }

    /** What ids of its items have in common. */
    String idSuffix() {
        return header.id().substring(header.id().indexOf('_') + 1);
    }

    /** Before there is anything of it. */
    ResponseObject begun() {
        return response("in_progress", null, null, List.of(), null);
    }

    /** At its end. */
    ResponseObject ended(List<OutputItem> output, Usage usage, Finished finished) {
        return finished.finishReason().equals("length")
                ? response("incomplete", null, new IncompleteDetails("max_output_tokens"), output, usage)
                : response("completed", null, null, output, usage);
    }

    /** @param output what came before */
    ResponseObject failed(List<OutputItem> output, Usage usage, ApiError error) {
        String code = "invalid_prompt";
        if (error.status() >= 500) {
            code = "server_error";
        } else if (error.status() == 429) {
            code = "rate_limit_exceeded";
        }
        return response("failed", new Failure(code, error.message()), null, output, usage);
    }

    private ResponseObject response(
            String status, Failure failure, IncompleteDetails incomplete, List<OutputItem> output, Usage usage) {
        return new ResponseObject(
                header.id(),
                "response",
                header.created(),
                status,
                status.equals("completed") ? Instant.now().getEpochSecond() : null,
                failure,
                incomplete,
                header.model(),
                output,
                usage == null ? null : ResponseUsage.of(usage),
                instructions,
                maxTokens,
                sampling.temperature(),
                sampling.topP(),
                topLogprobs,
                new TextSettings(format),
                tools,
                toolChoice,
                parallelToolCalls,
                new Reasoning(effort, null),
                metadata,
                false,
                false,
                "disabled",
                null);
    }
}
