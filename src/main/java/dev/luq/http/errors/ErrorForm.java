package dev.luq.http.errors;

/** The form of errors on some paths, where it is not that of {@link ApiError#body}; every bean of this type counts. */
public interface ErrorForm {

    /** @param path of a request, as it was sent */
    boolean covers(String path);

    /**
     * @param requestId of the request that failed
     * @return what becomes the JSON of the error
     */
    Object body(ApiError error, String requestId);
}
