package dev.luq.worker.child;

/** Main class of a worker process. */
public final class WorkerMain {

    private WorkerMain() {
    }

    /**
     * Serves one model to the server at the other end of standard input and output; the process ends with it.
     *
     * @param arguments the file of a {@link dev.luq.worker.protocol.Blackbox}, or nothing
     */
    public static void main(String[] arguments) {
        WorkerLoop.run(new EngineHost(WorkerLoop.blackbox(arguments)));
    }
}
