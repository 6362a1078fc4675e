package dev.luq.anthropic;

import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ErrorForm;
import jakarta.inject.Singleton;
import java.util.regex.Pattern;

/** Errors of the Messages API have a form of their own. */
@Singleton
final class MessagesErrors implements ErrorForm {

    private static final Pattern PATH = Pattern.compile("(/v1)?/messages(/[\\w/-]*)?");

    @Override
    public boolean covers(String path) {
        return PATH.matcher(path).matches();
    }

    @Override
    public Object body(ApiError error, String requestId) {
        return MessagesError.of(error, requestId);
    }
}
