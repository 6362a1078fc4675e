package dev.luq.http;

/** The largest body of some paths, where it differs from {@link ApiConfig#maxBodyBytes}; every bean of this type counts. */
public interface BodyLimit {

    /** @param path normalised path of a request */
    boolean covers(String path);

    long bytes();
}
