package dev.luq.protocol;

import dev.luq.protocol.WorkerFrame.EmbeddingInfo;
import dev.luq.protocol.WorkerFrame.ModelInfo;

/** What tests say of models. */
public final class ModelInfos {

    private ModelInfos() {}

    /**
     * The same model, if it embedded or ranked and called no tools.
     *
     * @param vision whether it sees
     * @param embeddings null for none
     */
    public static ModelInfo embedding(ModelInfo info, boolean vision, EmbeddingInfo embeddings, boolean ranks) {
        return new ModelInfo(
                info.name(),
                info.architecture(),
                info.quantization(),
                info.parameters(),
                info.modelBytes(),
                info.bitsPerWeight(),
                info.contextSize(),
                info.slotContextSize(),
                info.trainingContext(),
                info.slots(),
                vision,
                false,
                info.longestToken(),
                info.props(),
                embeddings,
                ranks,
                info.identity(),
                null);
    }
}
