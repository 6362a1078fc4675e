package dev.luq.openai.llamaserver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.ChoiceDraft;
import dev.luq.openai.generation.ChoiceFrame;
import dev.luq.openai.generation.ChoiceTimings;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.Prompt;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.PromptInput.Piece;
import dev.luq.protocol.WorkerFrame.Accepted;
import dev.luq.protocol.WorkerFrame.Finished;
import dev.luq.protocol.WorkerFrame.TokenLogprob;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Puts completions in llama-server's form together: one, or an array for several prompts. Not thread-safe. */
final class NativeResults implements AnswerBuilder {

    private static final JsonMapper JSON = new JsonMapper();

    private final CompletionHeader header;
    private final NativeSettings settings;
    /** Where they were text; of each prompt. */
    private final List<Optional<String>> prompts;

    private final int choicesPerPrompt;
    private final int probabilities;
    private final boolean withTokens;
    private final List<String> fields;
    private final List<ChoiceDraft> drafts;
    /** One tree for all results: with a bias for each token of the vocabulary it takes megabytes. Null until it is needed. */
    private JsonNode settingsTree;

    /**
     * @param endTokens ids of the tokens that end an answer of the model
     * @param probabilities alternatives per token; 0 for none
     * @param fields that are answered, as paths; empty for all
     */
    NativeResults(
            CompletionHeader header,
            ValidRequest request,
            List<Integer> endTokens,
            int probabilities,
            boolean withTokens,
            List<String> fields) {
        this.header = header;
        this.settings = NativeSettings.of(
                request.sampling(), endTokens, request.maxTokens(), request.stops(), probabilities, request.stream());
        this.prompts = request.prompts().stream().map(NativeResults::text).toList();
        this.choicesPerPrompt = request.choicesPerPrompt();
        this.probabilities = probabilities;
        this.withTokens = withTokens;
        this.fields = fields;
        this.drafts = ChoiceDraft.of(request.choices());
    }

    @Override
    public void add(ChoiceFrame choice) {
        drafts.get(choice.choice()).add(choice.frame());
    }

    @Override
    public Object build() {
        List<Object> all = IntStream.range(0, drafts.size())
                .<Object>mapToObj(
                        i -> fields.isEmpty() ? whole(i, likely(i), settings) : chosen(whole(i, null, null), likely(i)))
                .toList();
        return all.size() == 1 ? all.get(0) : all;
    }

    /**
     * The end of a stream, whose text and tokens were sent.
     *
     * @param newLine whether the text has one
     */
    JsonNode end(int index, Accepted accepted, Finished finished, boolean newLine) {
        return chosen(completion(index, accepted, finished, newLine, "", List.of(), null, null), null);
    }

    /** Null unless they were asked for. */
    private List<NativeCompletion.Probability> likely(int index) {
        return probabilities > 0
                ? NativeCompletion.Probability.of(drafts.get(index).logprobs())
                : null;
    }

    private NativeCompletion whole(int index, List<NativeCompletion.Probability> likely, NativeSettings told) {
        ChoiceDraft draft = drafts.get(index);
        List<Integer> tokens =
                withTokens ? draft.logprobs().stream().map(TokenLogprob::id).toList() : List.of();
        return completion(
                index,
                draft.accepted(),
                draft.finished(),
                draft.content().indexOf('\n') >= 0,
                draft.content(),
                tokens,
                likely,
                told);
    }

    private NativeCompletion completion(
            int index,
            Accepted accepted,
            Finished finished,
            boolean newLine,
            String content,
            List<Integer> tokens,
            List<NativeCompletion.Probability> likely,
            NativeSettings told) {
        return new NativeCompletion(
                index,
                content,
                tokens,
                true,
                header.model(),
                finished.completionTokens(),
                accepted.promptTokens(),
                told,
                prompts.get(index / choicesPerPrompt).orElse(null),
                newLine,
                false,
                stopType(finished),
                finished.stop() == null ? "" : finished.stop(),
                accepted.cachedTokens(),
                ChoiceTimings.of(accepted, finished),
                likely);
    }

    private static String stopType(Finished finished) {
        if (finished.stop() != null) {
            return "word";
        }
        return finished.finishReason().equals("length") ? "limit" : "eos";
    }

    private static Optional<String> text(Prompt prompt) {
        List<Piece> pieces = ((PromptInput.Raw) prompt.input()).pieces();
        return pieces.size() == 1 && pieces.get(0) instanceof Piece.Text text
                ? Optional.of(text.text())
                : Optional.empty();
    }

    /**
     * The fields that are answered, under their paths.
     *
     * @param completion without settings
     * @param likely its probabilities, which as nodes would take many times what is counted for them; null without any
     */
    private JsonNode chosen(NativeCompletion completion, List<NativeCompletion.Probability> likely) {
        ObjectNode all = JSON.valueToTree(completion);
        if (settingsTree == null) {
            settingsTree = JSON.valueToTree(settings);
        }
        all.set("generation_settings", settingsTree);
        if (likely != null) {
            all.putPOJO("completion_probabilities", likely);
        }
        if (fields.isEmpty()) {
            return all;
        }
        ObjectNode chosen = JSON.createObjectNode();
        for (String field : fields) {
            JsonNode value = all.at("/" + field);
            if (!value.isMissingNode()) {
                chosen.set(field, value);
            }
        }
        return chosen;
    }
}
