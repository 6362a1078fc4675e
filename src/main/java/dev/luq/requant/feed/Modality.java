package dev.luq.requant.feed;

/** What a token stands for. */
public enum Modality {
    /** Text, the model's marks around images included. */
    TEXT,
    /** A patch of an image. */
    IMAGE
}
