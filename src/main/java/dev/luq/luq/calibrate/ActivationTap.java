package dev.luq.luq.calibrate;

import dev.luq.llama.GraphTensor;
import dev.luq.llama.TensorTap;
import dev.luq.luq.feed.Modality;
import java.nio.FloatBuffer;
import java.util.Set;

/** Takes the sampled vectors and the squares of all matrices' inputs out of the graph, batch by batch. */
final class ActivationTap implements TensorTap {

    private final Set<String> weights;
    private final Set<Activation> activations;
    private final VectorFiles vectors;
    private InputSquares squares = new InputSquares();
    private Modality modality;
    private int[] slots = new int[0];

    /** @param weights names of the matrices to watch */
    ActivationTap(Set<String> weights, Set<Activation> activations, VectorFiles vectors) {
        this.weights = weights;
        this.activations = activations;
        this.vectors = vectors;
    }

    /** @param slots of each token of the batch in the reservoir of its modality, -1 for tokens that are not sampled */
    void batch(Modality modality, int[] slots) {
        this.modality = modality;
        this.slots = slots;
    }

    /** What was summed since this was asked before. */
    InputSquares takeSquares() {
        InputSquares taken = squares;
        squares = new InputSquares();
        return taken;
    }

    @Override
    public boolean wants(GraphTensor tensor) {
        return watchedWeight(tensor) != null || activation(tensor.name()) != null;
    }

    @Override
    public void computed(GraphTensor tensor) {
        String weight = watchedWeight(tensor);
        GraphTensor values = weight != null ? tensor.source(1) : tensor;
        if (values.rows() != slots.length) {
            throw new CalibrationException.UnusableModel("The model computes " + tensor.name() + " for " + values.rows()
                    + " of " + slots.length + " tokens; models of this architecture cannot be calibrated.");
        }
        if (weight != null) {
            squares.add(weight, modality, values.floats(), values.columns());
        }
        Activation activation = activation(tensor.name());
        if (activation != null) {
            sample(activation, activation.layer(tensor.name()), tensor.floats(), tensor.columns());
        }
    }

    private void sample(Activation activation, int layer, FloatBuffer values, int width) {
        for (int token = 0; token < slots.length; token++) {
            if (slots[token] >= 0) {
                vectors.write(activation, modality, layer, slots[token], values.slice(token * width, width));
            }
        }
    }

    private String watchedWeight(GraphTensor tensor) {
        if (!tensor.isMatrixProduct()) {
            return null;
        }
        String name = tensor.source(0).name();
        return weights.contains(name) ? name : null;
    }

    private Activation activation(String name) {
        for (Activation activation : activations) {
            if (activation.layer(name) >= 0) {
                return activation;
            }
        }
        return null;
    }
}
