package dev.luq.openai.responses;

import dev.luq.catalog.KeepAlive;
import dev.luq.http.errors.ApiError;
import dev.luq.openai.chat.ChatValidation;
import dev.luq.openai.generation.AnswerBuilder;
import dev.luq.openai.generation.AnswerEvents;
import dev.luq.openai.generation.Check;
import dev.luq.openai.generation.CompletionHeader;
import dev.luq.openai.generation.Exchange;
import dev.luq.openai.generation.FieldNames;
import dev.luq.openai.generation.ValidRequest;
import dev.luq.protocol.WorkerFrame.ModelInfo;
import io.vertx.core.buffer.Buffer;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** A request for a response, generated as the chat completion that it asks for. */
final class ResponseExchange implements Exchange {

    private final ResponseRequest request;
    private final FieldNames names = new FieldNames();

    ResponseExchange(ResponseRequest request) {
        this.request = request;
    }

    @Override
    public String model() {
        return request.model();
    }

    @Override
    public Optional<KeepAlive> keepAlive() {
        return request.others() == null
                ? Optional.empty()
                : Check.keepAlive("keep_alive", request.others().get("keep_alive"));
    }

    @Override
    public boolean stream() {
        return Check.flag(request.stream(), false);
    }

    /** The done events of text, part and item, and the response. */
    @Override
    public int repeats() {
        return 4;
    }

    @Override
    public Buffer failure(ApiError error) {
        return ResponseEvents.error(error, 0);
    }

    @Override
    public ValidRequest validate(ModelInfo model) {
        return ChatValidation.of(ChatTranslation.of(request, names), model);
    }

    @Override
    public UnaryOperator<String> fields() {
        return names::of;
    }

    @Override
    public String idPrefix() {
        return "resp_";
    }

    @Override
    public AnswerEvents events(CompletionHeader header, ValidRequest valid) {
        return new ResponseEvents(ResponseForm.of(header, request, valid), valid);
    }

    @Override
    public AnswerBuilder answer(CompletionHeader header, ValidRequest valid) {
        return new ResponseBuilder(ResponseForm.of(header, request, valid));
    }
}
