package dev.luq.protocol;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Standard output for frames alone: whatever else is written there would be taken for a frame. */
public final class FrameChannel {

    private FrameChannel() {
    }

    /**
     * Takes standard output for frames, once per process. What Java prints goes to standard error from now on; what
     * native code prints, the JVM's fatal error included, goes nowhere: the JVM writes the same into its report.
     */
    public static OutputStream take() {
        System.setOut(System.err);
        try {
            // The same pipe by another descriptor; closing the first one connects its number to /dev/null.
            OutputStream frames = new FileOutputStream("/proc/self/fd/1");
            new FileOutputStream(FileDescriptor.out).close();
            return frames;
        } catch (IOException e) {
            // No /proc, or no pipe: then nothing but frames must be printed.
            return new FileOutputStream(FileDescriptor.out);
        }
    }
}
