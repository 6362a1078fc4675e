package dev.luq.worker;

import dev.luq.engine.Engine;
import dev.luq.engine.GenerationEvent;
import dev.luq.engine.GenerationRequest;
import dev.luq.llama.SamplerOptions;
import dev.luq.prompt.PromptRequest;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A query for embeddings on its way: one request of the engine for each of its prompts, some at a time. It ends with
 * the last of them; the first failure ends the others. Thread-safe.
 */
final class EmbeddingQuery {

    /** Between the id of the query and the number of the prompt. */
    private static final char MARK = '#';

    private final ServerFrame.Embed query;
    private final Engine engine;
    private final Consumer<WorkerFrame.OfRequest> events;

    // guarded by this
    private final WorkerFrame.Embedding[] found;
    private final int[] tokens;
    private int begun;
    private int open;
    private int imagesTaken;
    private WorkerFrame.Failed failure;

    /** @param events takes the one answer */
    EmbeddingQuery(ServerFrame.Embed query, Engine engine, Consumer<WorkerFrame.OfRequest> events) {
        this.query = query;
        this.engine = engine;
        this.events = events;
        this.found = new WorkerFrame.Embedding[query.prompts().size()];
        this.tokens = new int[found.length];
    }

    /** The id of the query that a request of the engine belongs to, or its own. */
    static String queryOf(String request) {
        int mark = request.indexOf(MARK);
        return mark < 0 ? request : request.substring(0, mark);
    }

    /** @param most prompts at once */
    synchronized void begin(int most) {
        while (begun < Math.min(most, found.length)) {
            next();
        }
    }

    private void next() {
        int prompt = begun++;
        open++;
        PromptInput.Raw input = query.prompts().get(prompt);
        int images = (int) input.pieces().stream()
                .filter(PromptInput.Piece.Media.class::isInstance)
                .count();
        List<ServerFrame.Image> own = query.images().subList(imagesTaken, imagesTaken + images);
        imagesTaken += images;
        PromptRequest content = new PromptRequest(
                FrameMapper.toEngine(input), FrameMapper.toEngine(own), SamplerOptions.GREEDY, query.cacheSalt());
        engine.submit(
                GenerationRequest.embedding(idOf(prompt), content, query.client()), event -> handle(prompt, event));
    }

    private String idOf(int prompt) {
        return query.id() + MARK + prompt;
    }

    private synchronized void handle(int prompt, GenerationEvent event) {
        if (event instanceof GenerationEvent.Accepted accepted) {
            tokens[prompt] = accepted.promptTokens();
        } else if (event instanceof GenerationEvent.Embedded embedded) {
            found[prompt] = new WorkerFrame.Embedding(tokens[prompt], embedded.vector());
        } else if (event instanceof GenerationEvent.Finished) {
            ended();
        } else if (event instanceof GenerationEvent.Failed failed) {
            fail((WorkerFrame.Failed) FrameMapper.toFrame(failed));
            ended();
        }
    }

    private void fail(WorkerFrame.Failed of) {
        if (failure == null) {
            failure = new WorkerFrame.Failed(query.id(), of.code(), of.message(), of.param(), of.overflow());
            cancel();
        }
    }

    private void ended() {
        open--;
        if (failure == null && begun < found.length) {
            next();
        } else if (open == 0) {
            events.accept(failure == null ? new WorkerFrame.Embeddings(query.id(), Arrays.asList(found)) : failure);
        }
    }

    /** Ends what has begun; the answer follows. */
    synchronized void cancel() {
        for (int prompt = 0; prompt < begun; prompt++) {
            if (found[prompt] == null) {
                engine.cancel(idOf(prompt));
            }
        }
    }
}
