package dev.luq.requant.feed;

import java.nio.FloatBuffer;

/** Sees an example as it is evaluated, on the thread that feeds. */
public interface FeedListener {

    /**
     * A batch will be evaluated next: what the tap sees until the next call belongs to these tokens.
     *
     * @param modality of all of them
     */
    default void batch(Modality modality, int tokens) {}

    /**
     * The model predicts a token of text. Called in the order of the tokens.
     *
     * @param logits a float for each token of the vocabulary, valid for this call
     */
    default void logits(Prediction prediction, FloatBuffer logits) {}

    /**
     * Where a prediction stands.
     *
     * @param index of the predicting token among the example's tokens, images' tokens included
     * @param target the token that follows in the example
     * @param answer whether the target belongs to the answer or ends it
     * @param afterImage whether an image comes before
     */
    record Prediction(int index, int target, boolean answer, boolean afterImage) {}
}
