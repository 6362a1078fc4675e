package dev.luq.http.access;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The further ways in which clients write paths: those of the API without {@code /v1}, behind {@code /openai} as
 * OpenAI-compatible proxies have it, with a slash at the end, and with the slashes of a model's name encoded; that of
 * health without {@code /q}.
 */
final class ApiPaths {

    private static final String VERSION = "/v1";
    private static final String PROXY = "/openai";
    private static final String MODELS = "/v1/models/";
    private static final String COMPLETIONS = "/completions";
    /** The first segments behind {@link #VERSION}, but for {@link #COMPLETIONS}, which is llama-server's without it. */
    private static final Set<String> SEGMENTS =
            Set.of("chat", "embeddings", "messages", "models", "rerank", "reranking", "responses");

    /** What llama-server calls otherwise too. */
    private static final Map<String, String> SYNONYMS = Map.of("/v1/reranking", "/v1/rerank");

    private static final Map<String, String> MONITORING = Map.of("/health", "/q/health");

    private static final Pattern ENCODED_SLASH = Pattern.compile("%2f", Pattern.CASE_INSENSITIVE);

    private ApiPaths() {}

    /**
     * @param path as it was sent, without the query
     * @return the path that resources have; the path itself when it is no other way to write one
     */
    static String real(String path) {
        String real = path.startsWith(PROXY + "/") ? proxied(path.substring(PROXY.length())) : versioned(path);
        if (!real.startsWith(VERSION + "/")) {
            return MONITORING.getOrDefault(path, path);
        }
        if (real.startsWith(MODELS)) {
            real = MODELS
                    + ENCODED_SLASH.matcher(real.substring(MODELS.length())).replaceAll("/");
        }
        String bare = real.endsWith("/") ? real.substring(0, real.length() - 1) : real;
        return SYNONYMS.getOrDefault(bare, bare);
    }

    private static String proxied(String path) {
        return path.equals(COMPLETIONS) || path.equals(COMPLETIONS + "/") ? VERSION + path : versioned(path);
    }

    private static String versioned(String path) {
        int end = path.indexOf('/', 1);
        return path.startsWith("/") && SEGMENTS.contains(path.substring(1, end < 0 ? path.length() : end))
                ? VERSION + path
                : path;
    }

    /** Whether everybody reads this {@link #real} path alike; a model's name may have an encoded percent sign. */
    static boolean isPlain(String real) {
        return PlainPath.is(real.startsWith(MODELS) ? real.replace("%25", "-") : real);
    }
}
