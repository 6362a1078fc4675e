package dev.luq.http;

import io.netty.buffer.Unpooled;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * {@code /q/swagger-ui}: a page to read and try the API. Its files say nothing about this server and need no key, so
 * that a browser can open them; the description that the page shows, and what it asks, do.
 */
@Singleton
public final class SwaggerUi {

    private static final String PATH = "/q/swagger-ui";
    private static final String INDEX = "index.html";
    /** Names and media types. Three are ours; the build unpacks those of Swagger UI. */
    private static final Map<String, String> FILES = Map.of(
            INDEX,
            "text/html; charset=utf-8",
            "start.js",
            "text/javascript; charset=utf-8",
            "start.css",
            "text/css; charset=utf-8",
            "swagger-ui-bundle.js",
            "text/javascript; charset=utf-8",
            "swagger-ui.css",
            "text/css; charset=utf-8");

    /** Swagger UI sets styles of elements. */
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
            + " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** Read when first asked for, and shared by all answers: whoever does not read one holds no memory of its own. */
    private final Map<String, Buffer> files = new ConcurrentHashMap<>();

    SwaggerUi() {}

    void routes(@Observes Router router) {
        get(router, PATH + "/", routing -> send(routing, INDEX));
        // The page's addresses are relative to the one with a slash.
        get(router, PATH, routing -> routing.response()
                .setStatusCode(308)
                .putHeader("Location", "swagger-ui/")
                .end());
        FILES.keySet().forEach(name -> get(router, PATH + "/" + name, routing -> send(routing, name)));
    }

    private static void get(Router router, String path, Handler<RoutingContext> handler) {
        router.get(path).method(HttpMethod.HEAD).handler(handler);
    }

    private void send(RoutingContext routing, String name) {
        routing.response()
                .putHeader("Content-Type", FILES.get(name))
                .putHeader("Cache-Control", "no-cache")
                .putHeader("Content-Security-Policy", POLICY)
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .end(files.computeIfAbsent(name, SwaggerUi::file));
    }

    /** Direct, as a buffer on the heap is copied for every connection; Vert.x has no other way to make such a buffer. */
    @SuppressWarnings("deprecation")
    private static Buffer file(String name) {
        try (InputStream in = SwaggerUi.class.getResourceAsStream("/META-INF/swagger-ui/" + name)) {
            byte[] bytes = in.readAllBytes();
            return Buffer.buffer(Unpooled.unreleasableBuffer(
                    Unpooled.directBuffer(bytes.length, bytes.length).writeBytes(bytes)));
        } catch (IOException e) {
            throw new UncheckedIOException("the application is not whole", e);
        }
    }
}
