package dev.luq.architecture.broken.engine;

import jakarta.ws.rs.core.Response;
import org.bytedeco.javacpp.Pointer;

/** Answers HTTP and touches native code. */
public class Loop {
    public Response response;
    public Pointer pointer;
}
