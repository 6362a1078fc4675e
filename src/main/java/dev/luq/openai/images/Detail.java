package dev.luq.openai.images;

/** How closely the model looks at an image. */
public enum Detail {
    /** As {@link #HIGH}. */
    AUTO,
    /** A small image: few tokens, quick. */
    LOW,
    /** All that the server's limits permit. */
    HIGH
}
