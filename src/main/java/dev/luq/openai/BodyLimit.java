package dev.luq.openai;

/** The largest body of one path, where it differs from {@link ApiConfig#maxBodyBytes}; every bean of this type counts. */
public interface BodyLimit {

    /** The whole path. */
    String path();

    long bytes();
}
