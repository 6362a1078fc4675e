package dev.luq.http.access;

import java.util.Locale;
import java.util.Set;

/** What a caller may do. */
public enum Role {
    /** Everything below /v1. */
    USER,
    /** Everything. */
    ADMIN;

    /** {@link #USER}'s name in annotations. */
    public static final String USER_NAME = "user";
    /** {@link #ADMIN}'s name in annotations. */
    public static final String ADMIN_NAME = "admin";

    /** In key files and annotations. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The names of this role and of those that it includes. */
    Set<String> included() {
        return this == ADMIN ? Set.of(USER_NAME, ADMIN_NAME) : Set.of(USER_NAME);
    }
}
