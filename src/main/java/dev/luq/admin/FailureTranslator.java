package dev.luq.admin;

import io.smallrye.mutiny.Uni;
import jakarta.annotation.Priority;
import jakarta.interceptor.AroundInvoke;
import jakarta.interceptor.Interceptor;
import jakarta.interceptor.InvocationContext;

/** Does what {@link TranslatesFailures} asks for. */
@TranslatesFailures
@Interceptor
@Priority(Interceptor.Priority.APPLICATION)
public class FailureTranslator {

    @AroundInvoke
    Object translate(InvocationContext call) throws Exception {
        try {
            Object result = call.proceed();
            return result instanceof Uni<?> uni ? uni.onFailure().transform(AdminErrors::translate) : result;
        } catch (RuntimeException e) {
            throw AdminErrors.translate(e);
        }
    }
}
