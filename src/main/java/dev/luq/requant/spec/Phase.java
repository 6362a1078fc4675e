package dev.luq.requant.spec;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** The steps of a re-quantization, in order. Each is done once; what a cache holds is skipped. */
@RegisterForReflection
public enum Phase {
    /** The base model reads the calibration set: token vectors and importance matrices. */
    CALIBRATE,
    /** Layers are put into order, by each method that the plan may take. */
    RANK,
    /** A precision is chosen for every layer, where needed by quantizing and measuring candidates. */
    PLAN,
    /** Layers that the store lacks are quantized. */
    QUANTIZE,
    /** The files of the model are collected and checked. */
    ASSEMBLE,
    /** The files are measured on the evaluation set. */
    EVALUATE,
    /** The manifest becomes visible. */
    PUBLISH,
    /** Comparisons for the full report, after the model is published. */
    COMPARE
}
