package dev.luq.http.errors;

import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.List;
import java.util.Objects;

/** Which form the errors of a request have. */
@Singleton
public final class ErrorForms {

    private static final String KEY = "luq.error-forms";

    private final List<ErrorForm> forms;

    @Inject
    ErrorForms(@Any Instance<ErrorForm> forms) {
        this.forms = forms.stream().toList();
    }

    /** Called before anything refuses the request. */
    public void putOn(RoutingContext routing) {
        routing.put(KEY, this);
    }

    /** The body of an error of this request. */
    static Object body(RoutingContext routing, ApiError error) {
        ErrorForms all = routing.get(KEY);
        String path = Objects.requireNonNullElse(routing.request().path(), "");
        return (all == null ? List.<ErrorForm>of() : all.forms)
                .stream()
                        .filter(form -> form.covers(path))
                        .findFirst()
                        .map(form -> form.body(error, RequestId.of(routing)))
                        .orElse(error.body());
    }
}
