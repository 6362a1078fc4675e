package dev.luq.openai.access;

/** What a caller may do. */
public enum Role {
    /** Everything below /v1. */
    USER,
    /** Everything. */
    ADMIN
}
