package dev.luq.http;

import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;

/** Which of two forms of a resource a request accepts most. */
public final class Accepted {

    private Accepted() {}

    /**
     * @param other what is sent unless a request prefers {@code form}
     * @return whether what is accepted most, of what means either, means {@code form} alone
     */
    public static boolean prefers(HttpHeaders headers, MediaType form, MediaType other) {
        return headers.getAcceptableMediaTypes().stream()
                .filter(type -> type.isCompatible(form) || type.isCompatible(other))
                .findFirst()
                .filter(type -> !type.isCompatible(other))
                .isPresent();
    }
}
