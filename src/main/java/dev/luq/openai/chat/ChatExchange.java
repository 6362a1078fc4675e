package dev.luq.openai.chat;

import dev.luq.catalog.KeepAlive;
import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.Exchange;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.util.Optional;

/** A chat request and the completion that answers it. */
public record ChatExchange(ChatRequest request) implements Exchange {

    @Override
    public String model() {
        return request.model();
    }

    @Override
    public boolean stream() {
        return Check.flag(request.stream(), false);
    }

    @Override
    public Optional<KeepAlive> keepAlive() {
        return Check.keepAlive("keep_alive", request.keepAlive());
    }

    @Override
    public boolean tellsPrompt(boolean configured) {
        return Check.flag(request.verbose(), configured);
    }

    @Override
    public ValidRequest validate(ModelInfo model) {
        return ChatValidation.of(request, model);
    }

    @Override
    public String idPrefix() {
        return "chatcmpl-";
    }

    @Override
    public AnswerEvents events(CompletionHeader header, ValidRequest valid) {
        return new Chunks(header, valid);
    }

    @Override
    public AnswerBuilder answer(CompletionHeader header, ValidRequest valid) {
        return new ChatCompletion.Builder(header, valid);
    }
}
