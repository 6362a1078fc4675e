package dev.luq;

import dev.luq.serving.KernelCheck;
import org.junit.platform.engine.TestTag;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Has this machine's kernels tried before any test uses the native libraries in its own process, as the server does before
 * its first worker: what this machine cannot run shall be left out here too, and not end all tests.
 */
public final class KernelsFirst implements TestExecutionListener {

    private static final TestTag INTEGRATION = TestTag.create(Integration.TAG);

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        if (plan.getRoots().stream().noneMatch(root -> hasIntegrationTests(plan, root))) {
            return;
        }
        try {
            KernelCheck.ofThisProcess().ensure();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean hasIntegrationTests(TestPlan plan, TestIdentifier from) {
        return from.getTags().contains(INTEGRATION)
                || plan.getChildren(from).stream().anyMatch(child -> hasIntegrationTests(plan, child));
    }
}
