package dev.luq.anthropic;

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

/** A request to the Messages API and the message that answers it. */
final class MessagesExchange implements Exchange {

    private final MessagesRequest request;
    private final String requestId;
    private final boolean counting;
    /** Knows nothing until the request is translated: until then errors name the fields themselves. */
    private FieldNames names = new FieldNames();

    private MessagesExchange(MessagesRequest request, String requestId, boolean counting) {
        this.request = request;
        this.requestId = requestId;
        this.counting = counting;
    }

    /** @param requestId told when the answer fails */
    static MessagesExchange answering(MessagesRequest request, String requestId) {
        return new MessagesExchange(request, requestId, false);
    }

    /** Of a request whose tokens are to be counted. */
    static MessagesExchange counting(MessagesRequest request, String requestId) {
        return new MessagesExchange(request, requestId, true);
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

    @Override
    public Buffer failure(ApiError error) {
        return MessageEvents.failure(error, requestId);
    }

    @Override
    public ValidRequest validate(ModelInfo model) {
        if (!counting) {
            Check.present("max_tokens", request.maxTokens());
        }
        ChatTranslation translation = ChatTranslation.of(request);
        names = translation.names();
        return ChatValidation.of(translation.request(), model);
    }

    @Override
    public UnaryOperator<String> fields() {
        return names::of;
    }

    @Override
    public String idPrefix() {
        return "msg_";
    }

    @Override
    public AnswerEvents events(CompletionHeader header, ValidRequest valid) {
        return new MessageEvents(header, requestId);
    }

    @Override
    public AnswerBuilder answer(CompletionHeader header, ValidRequest valid) {
        return new Message.Builder(header);
    }
}
