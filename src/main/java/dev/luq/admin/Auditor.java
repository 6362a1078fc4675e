package dev.luq.admin;

import dev.luq.http.access.AuditLog;
import dev.luq.http.access.Caller;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.RequestId;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.Priority;
import jakarta.inject.Inject;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.function.Consumer;
import org.eclipse.microprofile.openapi.annotations.Operation;

/** Does what {@link Audited} asks for, around {@link FailureTranslator}: it sees what the client is told. */
@Audited
@Interceptor
@Priority(Interceptor.Priority.APPLICATION - 100)
public class Auditor {

    private static final String DONE = "done";
    /** The client left before the answer; the act goes on. */
    private static final String LEFT = "client_left";

    private final RoutingContext routing;

    @Inject
    Auditor(RoutingContext routing) {
        this.routing = routing;
    }

    @AroundInvoke
    Object audit(InvocationContext call) throws Exception {
        Method method = call.getMethod();
        if (method.isAnnotationPresent(GET.class)) {
            return call.proceed();
        }
        Caller caller = Caller.of(routing);
        String requestId = RequestId.of(routing);
        String named = named(method, call.getParameters());
        try {
            Object result = call.proceed();
            Consumer<String> line = line(caller, method, object(named), requestId);
            if (result instanceof Uni<?> uni) {
                return uni.onItem()
                        .invoke(item -> line.accept(DONE))
                        .onFailure()
                        .invoke(failure -> line.accept(code(failure)))
                        .onCancellation()
                        .invoke(() -> line.accept(LEFT));
            }
            line.accept(DONE);
            return result;
        } catch (Exception | Error e) {
            line(caller, method, object(named), requestId).accept(code(e));
            throw e;
        }
    }

    /** @return writes the line when it is given the outcome */
    private static Consumer<String> line(Caller caller, Method method, String object, String requestId) {
        return outcome -> AuditLog.write(caller, act(method), object, outcome, requestId);
    }

    private static String act(Method method) {
        Operation operation = method.getAnnotation(Operation.class);
        return operation == null || operation.operationId().isEmpty() ? method.getName() : operation.operationId();
    }

    private static String code(Throwable failure) {
        return failure instanceof ApiException refused ? refused.error().code() : "internal_error";
    }

    private String object(String named) {
        String said = AuditLog.object(routing);
        return named == null || said == null ? (named == null ? said : named) : named + " " + said;
    }

    /** What the path or the query names; null when neither does. */
    private static String named(Method method, Object[] arguments) {
        Parameter[] parameters = method.getParameters();
        for (int i = 0; i < parameters.length; i++) {
            if ((parameters[i].isAnnotationPresent(PathParam.class)
                            || parameters[i].isAnnotationPresent(QueryParam.class))
                    && arguments[i] instanceof String name) {
                return name;
            }
        }
        return null;
    }
}
