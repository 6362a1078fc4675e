package dev.luq.requant.calibrate;

import dev.luq.llama.FiniteNumbers;
import dev.luq.llama.GraphTensor;
import dev.luq.llama.TensorTap;
import dev.luq.requant.feed.Modality;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Takes the sampled vectors and the squares of all matrices' inputs out of the graph, batch by batch. Whatever is taken
 * ends a piece of computation, so matrices with a common input (query, key and value; gate and up) are looked at once.
 */
final class ActivationTap implements TensorTap {

    /** An activation is not finite. */
    static final class NonFiniteActivation extends RuntimeException {
        NonFiniteActivation() {
            super("an activation is not finite");
        }
    }

    private final Set<String> weights;
    private final Set<Activation> activations;
    private final VectorFiles vectors;
    private InputSquares squares = new InputSquares();
    private Modality modality;
    private int[] slots = new int[0];
    /** The matrix watched last and its input. */
    private String watched;

    private GraphTensor watchedInput;
    /** Matrix to the one that is watched for it. */
    private final Map<String, String> twins = new HashMap<>();

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
        watched = null;
        watchedInput = null;
    }

    /** What was summed since this was asked before. */
    InputSquares takeSquares() {
        twins.forEach(squares::copy);
        InputSquares taken = squares;
        squares = new InputSquares();
        return taken;
    }

    @Override
    public boolean wants(GraphTensor tensor) {
        if (!tensor.isMatrixProduct()) {
            return activation(tensor.name()) == Activation.OUTPUT;
        }
        String weight = tensor.source(0).name();
        if (!weights.contains(weight)) {
            return false;
        }
        if (watchedInput != null && watchedInput.isSameAs(tensor.source(1))) {
            twins.put(weight, watched);
            return false;
        }
        watched = weight;
        watchedInput = tensor.source(1);
        return true;
    }

    @Override
    public void computed(GraphTensor tensor) {
        boolean product = tensor.isMatrixProduct();
        GraphTensor values = product ? tensor.source(1) : tensor;
        if (values.rows() != slots.length) {
            throw new CalibrationException.UnusableModel("The model computes " + tensor.name() + " for " + values.rows()
                    + " of " + slots.length + " tokens; models of this architecture cannot be calibrated.");
        }
        if (product) {
            boolean finite = squares.add(tensor.source(0).name(), modality, values.floats(), values.columns());
            if (!finite) {
                throw new NonFiniteActivation();
            }
        }
        Activation activation = activation(values.name());
        if (activation != null) {
            sample(activation, activation.layer(values.name()), values.floats(), values.columns());
        }
    }

    private void sample(Activation activation, int layer, FloatBuffer values, int width) {
        if (!FiniteNumbers.areFinite(values)) {
            throw new NonFiniteActivation();
        }
        for (int token = 0; token < slots.length; token++) {
            if (slots[token] >= 0) {
                vectors.write(activation, modality, layer, slots[token], values.slice(token * width, width));
            }
        }
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
