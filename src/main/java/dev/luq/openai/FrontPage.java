package dev.luq.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.files.HtmlText;
import dev.luq.files.Sha256;
import dev.luq.http.ApiDescription;
import dev.luq.http.access.Caller;
import dev.luq.serving.ModelWorker;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.MIMEHeader;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * {@code GET /}: what this server is, as a page for browsers and as JSON for programs. Everybody may read it; models
 * are there for whoever may use them.
 */
@Singleton
public final class FrontPage {

    private static final String NAME = "LUQ Server";
    private static final String ADMINISTRATION = "/admin/";
    private static final String MODEL = "MODEL";
    private static final String CHAT = "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    private static final String INPUT = "{\"model\":\"%s\",\"input\":\"Hello\"}";
    private static final String PROMPT = "{\"model\":\"%s\",\"prompt\":\"Once upon a time\",\"n_predict\":16}";
    /** The shortest bodies of what is posted, with the model's id at {@code %s}. */
    private static final Map<String, String> BODIES = Map.ofEntries(
            Map.entry("/v1/chat/completions", CHAT),
            Map.entry("/v1/chat/completions/input_tokens", CHAT),
            Map.entry("/v1/messages/count_tokens", CHAT),
            Map.entry("/apply-template", CHAT),
            Map.entry(
                    "/v1/messages",
                    "{\"model\":\"%s\",\"max_tokens\":64,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"),
            Map.entry("/v1/completions", "{\"model\":\"%s\",\"prompt\":\"Once upon a time\",\"max_tokens\":16}"),
            Map.entry("/completion", PROMPT),
            Map.entry("/completions", PROMPT),
            Map.entry("/v1/responses", INPUT),
            Map.entry("/v1/responses/input_tokens", INPUT),
            Map.entry("/v1/embeddings", INPUT),
            Map.entry("/v1/rerank", "{\"model\":\"%s\",\"query\":\"Hello\",\"documents\":[\"Hello\",\"Goodbye\"]}"),
            Map.entry("/tokenize", "{\"model\":\"%s\",\"content\":\"Hello\"}"),
            Map.entry("/detokenize", "{\"model\":\"%s\",\"tokens\":[1,2]}"));

    private static final Map<String, String> LINKS = Map.of(
            "API, to try it", "/q/swagger-ui",
            "its description", "/q/openapi",
            "health", "/health",
            "metrics", "/metrics");

    private static final String STYLE =
            """
            :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
            body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
            h1 small { font-weight: normal; opacity: 0.6; }
            th { text-align: left; padding-right: 2rem; }
            code { font-size: 0.85rem; overflow-wrap: anywhere; }
            dt { margin-top: 0.75rem; }
            dd { margin: 0; }
            """;

    private static final String POLICY = "default-src 'none'; style-src 'sha256-"
            + Base64.getEncoder().encodeToString(Sha256.bytes(STYLE.getBytes(StandardCharsets.UTF_8)))
            + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final PermittedModels models;
    private final ObjectMapper mapper;
    private final String version;
    private final List<ApiDescription.Operation> operations = ApiDescription.operations().stream()
            .filter(operation -> !operation.path().startsWith(ADMINISTRATION))
            .toList();

    @Inject
    FrontPage(
            PermittedModels models,
            ObjectMapper mapper,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        this.models = models;
        this.mapper = mapper;
        this.version = version;
    }

    void routes(@Observes Router router) {
        router.get("/").method(HttpMethod.HEAD).handler(this::answer);
    }

    private void answer(RoutingContext routing) {
        boolean page = isPagePreferred(routing.parsedHeaders().accept());
        Content content = content(routing);
        routing.response().headers().add(HttpHeaderNames.VARY, "Accept");
        routing.response()
                .putHeader("Content-Type", page ? "text/html; charset=utf-8" : "application/json")
                .putHeader("Cache-Control", "no-store")
                .putHeader("Content-Security-Policy", POLICY)
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .end(page ? html(content) : json(content));
    }

    /** @param accepted the best first */
    private static boolean isPagePreferred(List<MIMEHeader> accepted) {
        return accepted.stream()
                .map(MIMEHeader::value)
                .filter(Set.of("text/html", "application/json", "*/*")::contains)
                .findFirst()
                .filter("text/html"::equals)
                .isPresent();
    }

    private Content content(RoutingContext routing) {
        List<Model> permitted = Caller.find(routing)
                .map(caller -> models.all(caller).stream().map(Model::of).toList())
                .orElse(null);
        String id = permitted == null || permitted.isEmpty()
                ? MODEL
                : permitted.get(0).id();
        HostAndPort authority = routing.request().authority();
        String server = routing.request().scheme() + "://" + (authority == null ? "localhost" : authority);
        List<Endpoint> endpoints = operations.stream()
                .map(operation -> new Endpoint(
                        operation.method(), operation.path(), operation.summary(), example(operation, server, id)))
                .toList();
        return new Content(NAME, version, permitted, endpoints, LINKS);
    }

    /** A line for a shell, or null where there is more to know than a line has room for. */
    private static String example(ApiDescription.Operation operation, String server, String model) {
        String url = server
                + operation
                        .path()
                        .replace(
                                "{id}",
                                URLEncoder.encode(model, StandardCharsets.UTF_8).replace("+", "%20"));
        if (operation.method().equals("GET")) {
            return "curl " + quoted(url);
        }
        String body = BODIES.get(operation.path());
        return body == null
                ? null
                : "curl " + quoted(url) + " -H 'Content-Type: application/json' -d "
                        + quoted(String.format(Locale.ROOT, body, model));
    }

    private static String quoted(String text) {
        return text.matches("[A-Za-z0-9_./:@-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }

    private String json(Content content) {
        try {
            return mapper.writeValueAsString(content);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts have JSON", e);
        }
    }

    private static String html(Content content) {
        StringBuilder page = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
                + NAME + "</title>\n<style>" + STYLE + "</style></head>\n<body>\n<h1>" + NAME + " <small>"
                + HtmlText.of(content.version()) + "</small></h1>\n"
                + "<p>Vision-language models behind OpenAI's API.</p>\n<h2>Models</h2>\n");
        if (content.models() == null) {
            page.append("<p>They are listed for who may use them: send an API key.</p>\n");
        } else {
            page.append("<table>\n");
            content.models().forEach(model -> page.append("<tr><th scope=\"row\">")
                    .append(HtmlText.of(model.id()))
                    .append("</th><td>")
                    .append(HtmlText.of(model.state()))
                    .append("</td></tr>\n"));
            page.append("</table>\n");
        }
        page.append("<h2>Endpoints</h2>\n<p>Where the server has API keys, add"
                + " <code>-H 'Authorization: Bearer KEY'</code>.</p>\n<dl>\n");
        content.endpoints().forEach(endpoint -> endpoint.appendTo(page));
        page.append("</dl>\n<p>");
        content.links().entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(link -> page.append("<a href=\"")
                .append(link.getValue())
                .append("\">")
                .append(HtmlText.of(link.getKey()))
                .append("</a> \n"));
        return page.append("</p>\n<p>More is in <code>docs/api.md</code> of the sources.</p>\n</body></html>\n")
                .toString();
    }

    /** @param models null for who may not know them */
    @RegisterForReflection
    record Content(
            String name, String version, List<Model> models, List<Endpoint> endpoints, Map<String, String> links) {}

    /** @param state as in {@code /v1/models} */
    @RegisterForReflection
    record Model(String id, String state) {
        static Model of(ModelWorker worker) {
            return new Model(worker.modelId(), worker.state().name().toLowerCase(Locale.ROOT));
        }
    }

    /** @param example null when there is none */
    @RegisterForReflection
    record Endpoint(String method, String path, String summary, String example) {
        void appendTo(StringBuilder page) {
            page.append("<dt><strong>")
                    .append(HtmlText.of(method + " " + path))
                    .append("</strong> ")
                    .append(HtmlText.of(summary))
                    .append("</dt>\n");
            if (example != null) {
                page.append("<dd><code>").append(HtmlText.of(example)).append("</code></dd>\n");
            }
        }
    }
}
