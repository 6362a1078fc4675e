package dev.luq.engine;

import dev.luq.gguf.Pooling;
import dev.luq.llama.ChatTemplates;
import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Model;
import dev.luq.llama.SamplerOptions;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import java.time.Duration;
import java.util.List;

/** Texts whose tokens' vectors an engine pools. */
final class PooledTexts {

    private PooledTexts() {}

    /** @throws IllegalArgumentException the model cannot be pooled so; nothing stays open but the model */
    static Engine start(Model model, ContextOptions options, Pooling pooling) {
        Context context = Context.create(model, options);
        ChatTemplates templates = ChatTemplates.of(model);
        try {
            return Engine.start(
                    new EngineOptions(
                            options.sequences(), options.batchSize(), 0, 0, 0, 0, Duration.ZERO, false, pooling),
                    model,
                    context,
                    templates,
                    null,
                    EngineFiles.NONE,
                    WorkListener.NONE);
        } catch (IllegalArgumentException e) {
            templates.close();
            context.close();
            throw e;
        }
    }

    static PromptRequest prompt(PromptContent.Piece piece) {
        return new PromptRequest(new PromptContent.Raw(List.of(piece), null), List.of(), SamplerOptions.GREEDY, null);
    }

    static TinyEngine.Outcome pool(Engine engine, String id, PromptContent.Piece piece) {
        TinyEngine.Outcome outcome = new TinyEngine.Outcome();
        engine.submit(GenerationRequest.embedding(id, prompt(piece), null), outcome);
        return outcome;
    }

    /** What became of a text: an embedding, or the outputs of a classification head. */
    static float[] vector(TinyEngine.Outcome outcome) throws Exception {
        outcome.await().finished();
        return outcome.events(GenerationEvent.Embedded.class).get(0).vector();
    }
}
