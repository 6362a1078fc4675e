package dev.luq.requant.feed;

/** What a token stands for. */
public enum Modality {
    /** Text, the model's marks around pictures included. */
    TEXT,
    /** A patch of a picture. */
    IMAGE
}
