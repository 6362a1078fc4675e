package dev.luq.worker;

/** Main class of a worker process. */
public final class WorkerMain {

    private WorkerMain() {}

    /**
     * Serves one model to the server at the other end of standard input and output; the process ends with it.
     *
     * @param arguments the file of a {@link dev.luq.protocol.Blackbox}, or nothing
     */
    public static void main(String[] arguments) {
        WorkerLoop.run(new EngineHost(WorkerLoop.blackbox(arguments)));
    }
}
