package dev.luq.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The description of the API that the build generates from the resources, an OpenAPI document. */
public final class ApiDescription {

    /** Name of the response with an {@link dev.luq.http.errors.ApiError} to a request that cannot be answered. */
    public static final String REFUSED = "Refused";

    /** Name of the response with one while the server cannot answer. */
    public static final String UNAVAILABLE = "Unavailable";

    private static final Set<String> METHODS = Set.of("get", "post", "put", "delete", "patch");

    private ApiDescription() {}

    /**
     * @param method in capitals
     * @param path with names of parameters in braces
     * @param summary empty when there is none
     */
    public record Operation(String method, String path, String summary) {}

    static String json() {
        return resource("openapi.json");
    }

    static String yaml() {
        return resource("openapi.yaml");
    }

    /** All operations, by path. */
    public static List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        try {
            new JsonMapper().readTree(json()).path("paths").properties().forEach(path -> path.getValue()
                    .properties()
                    .forEach(method -> {
                        if (METHODS.contains(method.getKey())) {
                            operations.add(operation(path.getKey(), method.getKey(), method.getValue()));
                        }
                    }));
        } catch (IOException e) {
            throw new UncheckedIOException("the build made a description that is no JSON", e);
        }
        return operations;
    }

    private static Operation operation(String path, String method, JsonNode operation) {
        return new Operation(
                method.toUpperCase(Locale.ROOT), path, operation.path("summary").asText(""));
    }

    private static String resource(String name) {
        try (InputStream in = ApiDescription.class.getResourceAsStream("/META-INF/openapi/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("the application is not whole", e);
        }
    }
}
