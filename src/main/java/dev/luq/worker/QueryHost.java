package dev.luq.worker;

import dev.luq.engine.Engine;
import dev.luq.engine.EngineException;
import dev.luq.engine.Query;
import dev.luq.prompt.PromptBuilder;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import dev.luq.prompt.Tokenizer;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Answers queries with what the engine makes prompts with. */
final class QueryHost {

    /** Characters and bytes of the longest text that is answered: it fits into a frame. */
    private static final int LONGEST_TEXT = 4 << 20;

    private final Engine engine;
    private final int promptsAtOnce;
    /** Those for embeddings, by id. */
    private final Map<String, EmbeddingQuery> embeddings = new ConcurrentHashMap<>();

    /** @param slots of the engine */
    QueryHost(Engine engine, int slots) {
        this.engine = engine;
        // The next ones are tokenized while these are evaluated.
        this.promptsAtOnce = 2 * slots;
    }

    /** See {@link ModelHost#submit(ServerFrame.Query, Consumer)}. */
    void submit(ServerFrame.Query<?> query, Consumer<WorkerFrame.OfRequest> events) {
        String id = query.id();
        Consumer<EngineException> failed = e -> events.accept(FrameMapper.toFrame(e.event(id)));
        if (query instanceof ServerFrame.Embed embed) {
            EmbeddingQuery begun = new EmbeddingQuery(embed, engine, answer -> {
                embeddings.remove(id);
                events.accept(answer);
            });
            embeddings.put(id, begun);
            begun.begin(promptsAtOnce);
        } else if (query instanceof ServerFrame.ReadSlots) {
            engine.readSlots(
                    id,
                    slots -> events.accept(new WorkerFrame.Slots(
                            id, slots.stream().map(FrameMapper::toFrame).toList())),
                    failed);
        } else {
            engine.submit(
                    new Query<>(
                            id,
                            query.client(),
                            FrameMapper.toEngine(query.prompt()).length(),
                            !query.images().isEmpty(),
                            () -> answer(query)),
                    events::accept,
                    failed);
        }
    }

    /** Ends a query that is not answered at once; the answer follows. Unknown ids are ignored. */
    void cancel(String id) {
        EmbeddingQuery query = embeddings.get(id);
        if (query != null) {
            query.cancel();
        }
    }

    /** On a thread that prepares prompts. */
    private WorkerFrame.QueryResult answer(ServerFrame.Query<?> query) {
        PromptBuilder prompts = engine.prompts();
        if (query instanceof ServerFrame.CountTokens count) {
            PromptBuilder.TokenCount counted = prompts.count(
                    PromptRequest.of(FrameMapper.toEngine(count.prompt()), FrameMapper.toEngine(count.images())));
            return new WorkerFrame.TokenCount(count.id(), counted.tokens(), counted.imageTokens());
        }
        if (query instanceof ServerFrame.ApplyTemplate template) {
            return new WorkerFrame.Text(
                    template.id(),
                    prompts.render(
                            new PromptContent.Chat(template.prompt().json()),
                            ServerFrame.ApplyTemplate.MEDIA_MARK,
                            LONGEST_TEXT));
        }
        Tokenizer tokenizer = prompts.tokenizer();
        if (query instanceof ServerFrame.Detokenize detokenize) {
            return new WorkerFrame.Text(detokenize.id(), tokenizer.text(detokenize.tokens(), LONGEST_TEXT));
        }
        ServerFrame.Tokenize tokenize = (ServerFrame.Tokenize) query;
        int[] tokens = tokenizer.tokenize(
                FrameMapper.toEngine(tokenize.prompt()), tokenize.addSpecial(), tokenize.parseSpecial());
        return new WorkerFrame.Tokens(
                tokenize.id(), tokens, tokenize.pieces() ? toFrame(tokenizer.pieces(tokens, LONGEST_TEXT)) : null);
    }

    private static WorkerFrame.Pieces toFrame(Tokenizer.Pieces pieces) {
        return new WorkerFrame.Pieces(pieces.bytes(), pieces.lengths());
    }
}
