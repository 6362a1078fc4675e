package dev.luq.jobs;

import static dev.luq.Until.until;

import dev.luq.requant.spec.Phase;
import java.nio.file.Path;
import java.util.Map;

/** A server that queues one patient job, prints its process id when it is quantizing, and waits to be killed. */
final class JobServer {

    private JobServer() {}

    /** @param arguments the data folder */
    public static void main(String[] arguments) throws InterruptedException {
        Jobs jobs = JobsTest.jobs(Path.of(arguments[0]), Map.of(), (model, manifest, mode) -> null, phase -> {});
        jobs.start();
        jobs.create(JobsTest.request("1", "patient"));
        until("quantizing", () -> JobsTest.at(jobs, "1", Phase.QUANTIZE));
        System.out.println(
                ProcessHandle.current().children().findFirst().orElseThrow().pid());
        Thread.sleep(Long.MAX_VALUE);
    }
}
