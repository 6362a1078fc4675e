package dev.luq.serving;

import dev.luq.machine.Kernels;
import dev.luq.machine.KvType;
import dev.luq.process.ChildCommand;
import dev.luq.process.ProcessExit;
import dev.luq.protocol.ServerFrame;
import dev.luq.protocol.WorkerFrame;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** A server that starts one scripted worker, prints its process id when it is ready, and waits to be killed. */
final class ParentProcess {

    private ParentProcess() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        ChildCommand command = new ChildCommand(TestConfig.of(Map.of()).process(), "dev.luq.worker.ScriptedWorker");
        WorkerProcess worker = WorkerProcess.start("child", command, new WorkerProcess.Events() {
            @Override
            public void frame(WorkerProcess process, WorkerFrame frame) {
                if (frame instanceof WorkerFrame.Ready
                        || frame instanceof WorkerFrame.Loading && arguments[0].equals("slow")) {
                    System.out.println(process.pid());
                }
            }

            @Override
            public void ended(WorkerProcess process, ProcessExit exit) {
                System.exit(1);
            }
        });
        worker.send(new ServerFrame.Load(
                List.of(arguments[0]), null, 0, 1, 16, 0, 0, 0, 0, 0, 0, Kernels.FAST, KvType.F16, null));
        Thread.sleep(Long.MAX_VALUE);
    }
}
