package dev.luq;

import dev.luq.serving.KernelCheck;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Has this machine's kernels tried before any test uses the native libraries in its own process, as the server does before
 * its first worker: what this machine cannot run shall be left out here too, and not end all tests.
 */
public final class KernelsFirst implements LauncherSessionListener {

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        try {
            KernelCheck.ofThisProcess().ensure();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
