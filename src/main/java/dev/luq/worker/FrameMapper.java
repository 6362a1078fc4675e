package dev.luq.worker;

import dev.luq.engine.EngineStats;
import dev.luq.engine.GenerationEvent;
import dev.luq.engine.GenerationRequest;
import dev.luq.engine.SlotState;
import dev.luq.llama.SamplerOptions;
import dev.luq.prompt.PromptContent;
import dev.luq.prompt.PromptRequest;
import dev.luq.protocol.PromptInput;
import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;

/** Frames of the protocol as the engine's messages and back. */
final class FrameMapper {

    private FrameMapper() {}

    static GenerationRequest toEngine(ServerFrame.Generate request) {
        PromptRequest prompt = new PromptRequest(
                toEngine(request.prompt()),
                toEngine(request.images()),
                toEngine(request.sampling()),
                request.cacheSalt());
        return new GenerationRequest(
                request.id(),
                prompt,
                request.maxTokens(),
                request.stop(),
                request.topLogprobs(),
                request.cachePrompt(),
                request.client());
    }

    static PromptContent toEngine(PromptInput prompt) {
        return prompt instanceof PromptInput.Raw raw
                ? toEngine(raw)
                : new PromptContent.Chat(((PromptInput.Chat) prompt).json());
    }

    static PromptContent.Raw toEngine(PromptInput.Raw raw) {
        return new PromptContent.Raw(
                raw.pieces().stream().map(FrameMapper::toEngine).toList(), toEngine(raw.constraint()));
    }

    private static PromptContent.Piece toEngine(PromptInput.Piece piece) {
        if (piece instanceof PromptInput.Piece.Text text) {
            return new PromptContent.Piece.Text(text.text());
        }
        if (piece instanceof PromptInput.Piece.Pair pair) {
            return new PromptContent.Piece.Pair(pair.query(), pair.document());
        }
        return piece instanceof PromptInput.Piece.Tokens tokens
                ? new PromptContent.Piece.Tokens(tokens.tokens())
                : new PromptContent.Piece.Media();
    }

    private static PromptContent.Constraint toEngine(PromptInput.Constraint constraint) {
        return constraint == null
                ? null
                : new PromptContent.Constraint(
                        constraint.field(), constraint.grammar(), constraint.schema(), constraint.patterns());
    }

    static List<PromptRequest.ImageInput> toEngine(List<ServerFrame.Image> images) {
        return images.stream()
                .map(image -> new PromptRequest.ImageInput(image.width(), image.height(), image.sha256(), image.rgb()))
                .toList();
    }

    private static SamplerOptions toEngine(Sampling sampling) {
        long seed = Objects.requireNonNullElseGet(
                sampling.seed(), () -> ThreadLocalRandom.current().nextLong());
        return new SamplerOptions(
                sampling.temperature(),
                sampling.topP(),
                sampling.topK(),
                sampling.minP(),
                sampling.frequencyPenalty(),
                sampling.presencePenalty(),
                sampling.repeatPenalty(),
                seed,
                sampling.logitBias(),
                sampling.textBias(),
                sampling.ignoreEos());
    }

    static WorkerFrame.OfRequest toFrame(GenerationEvent event) {
        if (event instanceof GenerationEvent.Delta delta) {
            return new WorkerFrame.Delta(
                    delta.id(),
                    delta.content(),
                    delta.thought(),
                    toFrame(delta.toolCall()),
                    toFrames(delta.logprobs()),
                    delta.tokens());
        }
        if (event instanceof GenerationEvent.Progress progress) {
            return new WorkerFrame.Progress(
                    progress.id(),
                    toFrame(progress.phase()),
                    progress.share(),
                    progress.cachedTokens(),
                    progress.evaluatedTokens(),
                    progress.promptTokens());
        }
        if (event instanceof GenerationEvent.Accepted accepted) {
            return new WorkerFrame.Accepted(
                    accepted.id(), accepted.promptTokens(), accepted.imageTokens(), accepted.cachedTokens());
        }
        if (event instanceof GenerationEvent.Finished finished) {
            GenerationEvent.Timings t = finished.timings();
            return new WorkerFrame.Finished(
                    finished.id(),
                    finished.reason().wireName(),
                    finished.stop(),
                    finished.completionTokens(),
                    new WorkerFrame.Timings(
                            t.queueMillis(),
                            t.prefillMillis(),
                            t.decodeMillis(),
                            t.imageEncodeMillis(),
                            t.draftedTokens(),
                            t.acceptedTokens()));
        }
        GenerationEvent.Failed failed = (GenerationEvent.Failed) event;
        return new WorkerFrame.Failed(
                failed.id(), failed.code(), failed.message(), failed.param(), toFrame(failed.overflow()));
    }

    private static WorkerFrame.Overflow toFrame(GenerationEvent.Overflow overflow) {
        return overflow == null ? null : new WorkerFrame.Overflow(overflow.promptTokens(), overflow.contextSize());
    }

    private static WorkerFrame.Phase toFrame(GenerationEvent.Phase phase) {
        return switch (phase) {
            case QUEUED -> WorkerFrame.Phase.QUEUED;
            case ENCODING -> WorkerFrame.Phase.ENCODING;
            case PROMPT -> WorkerFrame.Phase.PROMPT;
        };
    }

    private static WorkerFrame.ToolCallDelta toFrame(GenerationEvent.ToolCall call) {
        return call == null
                ? null
                : new WorkerFrame.ToolCallDelta(call.index(), call.id(), call.name(), call.argumentsDelta());
    }

    private static List<WorkerFrame.TokenLogprob> toFrames(List<GenerationEvent.TokenLogprob> logprobs) {
        return logprobs == null
                ? null
                : logprobs.stream()
                        .map(token -> new WorkerFrame.TokenLogprob(
                                token.id(), token.token(), token.logprob(), token.bytes(), toFrames(token.top())))
                        .toList();
    }

    static WorkerFrame.Slot toFrame(SlotState slot) {
        return new WorkerFrame.Slot(
                slot.request(),
                slot.cells(),
                slot.promptTokens(),
                slot.cachedTokens(),
                slot.evaluatedTokens(),
                slot.generatedTokens(),
                slot.maxTokens());
    }

    static WorkerFrame.EngineStats toFrame(EngineStats s) {
        return new WorkerFrame.EngineStats(
                s.waiting(),
                s.running(),
                s.kvCellsUsed(),
                s.kvCells(),
                s.promptTokens(),
                s.generationTokens(),
                s.prefixQueries(),
                s.prefixHits(),
                s.imageQueries(),
                s.imageHits(),
                s.imageFileQueries(),
                s.imageFileHits(),
                s.promptFileQueries(),
                s.promptFileHits(),
                s.imagesEncoded(),
                s.imageEncodeMillis(),
                s.imageTokens(),
                s.cancelled(),
                s.draftedTokens(),
                s.acceptedTokens(),
                s.drafts(),
                s.promptCacheBytes(),
                s.promptCacheHits(),
                s.promptCacheEvictions(),
                s.evaluatedTokens(),
                s.promptMillis(),
                s.generationMillis(),
                s.decodes(),
                s.decodedSequences(),
                s.longestSequence());
    }
}
