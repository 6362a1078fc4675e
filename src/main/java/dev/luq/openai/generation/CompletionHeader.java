package dev.luq.openai.generation;

import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;

/**
 * What an answer and each event of a stream may repeat.
 *
 * @param id begins as the endpoint's ids do, such as {@code chatcmpl-...}
 * @param created seconds since 1970
 * @param model the model's id
 * @param systemFingerprint starts with b; changes when the model behind the id does
 */
public record CompletionHeader(String id, long created, String model, String systemFingerprint) {

    static CompletionHeader of(String idPrefix, String modelId, ModelInfo model) {
        return new CompletionHeader(
                idPrefix + UUID.randomUUID().toString().replace("-", ""),
                Instant.now().getEpochSecond(),
                modelId,
                "b" + HexFormat.of().toHexDigits(model.hashCode()));
    }
}
