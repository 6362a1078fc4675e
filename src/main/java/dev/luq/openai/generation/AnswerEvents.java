package dev.luq.openai.generation;

import dev.luq.http.errors.ApiError;
import dev.luq.protocol.WorkerFrame.OfRequest;
import dev.luq.protocol.WorkerFrame.Progress;
import io.vertx.core.buffer.Buffer;

/** The server-sent events of one streamed answer, as its endpoint writes them. Not thread-safe. */
public interface AnswerEvents {

    /** The events of a frame; of a {@link Progress} only where the request wants to know it. */
    Buffer of(ChoiceFrame frame);

    /** What follows the last frame of an answer that ended well. */
    Buffer end();

    /** The last event of an answer that fails after its first byte. */
    default Buffer failure(ApiError error) {
        return JsonEvent.ofError(error);
    }

    /**
     * What is sent when nothing else is for some time: a comment that says how far a request is, which clients skip. It
     * may be the first that is sent.
     *
     * @param latest frame of the request; null before the first
     */
    default Buffer keepAlive(OfRequest latest) {
        String text = "generating";
        if (latest == null) {
            text = "queued";
        } else if (latest instanceof Progress progress) {
            int percent = (int) (progress.share() * 100);
            text = switch (progress.phase()) {
                case QUEUED -> "queued";
                case ENCODING -> "encoding " + percent + " %";
                case PROMPT -> "prompt " + percent + " %";
            };
        }
        return Buffer.buffer(": " + text + "\n\n");
    }
}
