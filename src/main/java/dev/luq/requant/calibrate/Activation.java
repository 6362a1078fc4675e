package dev.luq.requant.calibrate;

import java.util.Locale;

/** Where in a layer token vectors are taken, all of the model's embedding width. */
public enum Activation {
    /** What the layer adds up to: {@code l_out-N} of llama.cpp's graphs, hidden_states[N + 1] of Hugging Face. */
    OUTPUT("l_out-"),
    /** What its attention reads: the layer's input after the first norm, {@code attn_norm-N}. */
    NORMED_INPUT("attn_norm-");

    private final String node;

    Activation(String node) {
        this.node = node;
    }

    /** The layer that a node of the graph belongs to, or -1 when it is not this activation. */
    int layer(String name) {
        if (!name.startsWith(node)) {
            return -1;
        }
        int layer = 0;
        for (int i = node.length(); i < name.length(); i++) {
            char digit = name.charAt(i);
            if (digit < '0' || digit > '9') {
                return -1; // a view of it
            }
            layer = 10 * layer + digit - '0';
        }
        return layer;
    }

    String fileName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
