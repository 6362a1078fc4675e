package dev.luq.architecture.broken.openai;

import dev.luq.architecture.broken.llama.Native;

/** Uses a model without a worker. */
public class Resource {
    public Native model;
}
