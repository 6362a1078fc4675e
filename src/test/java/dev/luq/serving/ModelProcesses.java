package dev.luq.serving;

import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.process.ChildCommand;
import dev.luq.protocol.ServerFrame;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** Workers in real processes, each with a file; all of them end with this. */
final class ModelProcesses implements AutoCloseable {

    static final WorkerConfig CONFIG = TestConfig.of(Map.of("threads", "1", "image-threads", "1"));

    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final List<SupervisedWorker> workers = new ArrayList<>();

    /** @param mmproj null for text alone */
    SupervisedWorker start(Path model, Path mmproj, Kernels kernels, WorkerConfig config) {
        return start(
                new ServerFrame.Load(
                        List.of(model.toString()),
                        mmproj == null ? null : mmproj.toString(),
                        0,
                        2,
                        64,
                        1,
                        1,
                        1 << 20,
                        0,
                        0,
                        0,
                        kernels,
                        KvType.F16,
                        null),
                config);
    }

    SupervisedWorker start(Path model, Path mmproj, Kernels kernels) {
        return start(model, mmproj, kernels, CONFIG);
    }

    SupervisedWorker start(ServerFrame.Load load, WorkerConfig config) {
        ChildCommand command = new ChildCommand(CONFIG.process(), ChildCommand.WORKER_MAIN);
        SupervisedWorker worker = new SupervisedWorker(
                "tiny",
                load,
                config,
                (modelId, events) -> WorkerProcess.start(modelId, command, events),
                timer,
                new GenerationListener() {},
                new Quarantine(CONFIG.restart()),
                () -> {});
        workers.add(worker);
        worker.start();
        return worker;
    }

    @Override
    public void close() throws InterruptedException {
        for (SupervisedWorker worker : workers) {
            worker.drain();
            worker.end(System.nanoTime());
        }
        timer.shutdownNow();
    }
}
