package dev.luq.http.access;

import dev.luq.http.errors.ApiException.InvalidKey;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.vertx.core.MultiMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The API key that a request names, in the headers of OpenAI's, Anthropic's and Azure's clients. */
final class PresentedKey {

    private static final String SCHEME = "Bearer";
    private static final List<String> HEADERS = List.of("x-api-key", "api-key");

    private PresentedKey() {}

    /**
     * @param headers of the request
     * @return empty when none of the headers has a key
     * @throws InvalidKey if they name two different keys, or Authorization has another scheme than Bearer
     */
    static Optional<String> in(MultiMap headers) {
        Set<String> keys = new LinkedHashSet<>();
        headers.getAll(HttpHeaderNames.AUTHORIZATION).forEach(value -> keys.add(bearer(value.strip())));
        HEADERS.forEach(name -> headers.getAll(name).forEach(value -> keys.add(value.strip())));
        keys.remove("");
        if (keys.size() > 1) {
            throw new InvalidKey("The request has two different API keys in its headers");
        }
        return keys.stream().findFirst();
    }

    private static String bearer(String authorization) {
        String[] words = authorization.split("\\s+", 2);
        if (!words[0].equalsIgnoreCase(SCHEME)) {
            throw new InvalidKey("The API key is not valid: Authorization must be Bearer <key>");
        }
        return words.length == 1 ? "" : words[1];
    }
}
