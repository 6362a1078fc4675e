package dev.luq.architecture.broken.llama;

import org.bytedeco.javacpp.Pointer;

/** May use native code. */
public class Native {
    public Pointer pointer;
}
