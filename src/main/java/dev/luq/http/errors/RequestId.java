package dev.luq.http.errors;

import io.vertx.ext.web.RoutingContext;
import java.util.UUID;
import java.util.regex.Pattern;

/** The id by which a request is found in the log; every answer carries it as {@code x-request-id}. */
public final class RequestId {

    public static final String HEADER = "x-request-id";

    private static final String KEY = "luq.request-id";
    // What a proxy in front may hand down; anything else could forge log lines.
    private static final Pattern ACCEPTED = Pattern.compile("[A-Za-z0-9._-]{1,128}");

    private RequestId() {}

    /** Takes the client's own id when it is harmless, else a fresh one, and puts it on the response. */
    public static void assign(RoutingContext routing) {
        // A rerouted request comes by twice.
        if (routing.get(KEY) != null) {
            return;
        }
        String given = routing.request().getHeader(HEADER);
        String id = given != null && ACCEPTED.matcher(given).matches()
                ? given
                : "req_" + UUID.randomUUID().toString().replace("-", "");
        routing.put(KEY, id);
        routing.response().putHeader(HEADER, id);
    }

    public static String of(RoutingContext routing) {
        String id = routing.get(KEY);
        return id == null ? "unknown" : id;
    }
}
