package dev.luq.openai.chat;

import dev.luq.protocol.WorkerFrame.ModelInfo;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;

/**
 * What the completion and each chunk of a stream repeat.
 *
 * @param id {@code chatcmpl-...}
 * @param created seconds since 1970
 * @param model the model's id
 * @param systemFingerprint starts with b; changes when the model behind the id does
 */
record CompletionHeader(String id, long created, String model, String systemFingerprint) {

    static CompletionHeader of(String modelId, ModelInfo model) {
        return new CompletionHeader(
                "chatcmpl-" + UUID.randomUUID().toString().replace("-", ""),
                Instant.now().getEpochSecond(),
                modelId,
                "b" + HexFormat.of().toHexDigits(model.hashCode()));
    }
}
