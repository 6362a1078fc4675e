package dev.luq;

import dev.luq.cli.Main;
import dev.luq.decoder.child.DecoderMain;
import dev.luq.jobs.child.JobMain;
import dev.luq.requant.speed.SpeedProbe;
import dev.luq.worker.KernelTrialsMain;
import dev.luq.worker.WorkerMain;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Arrays;

/**
 * Entry point of the server and, with {@code worker}, {@code job}, {@code kernels}, {@code speed} or {@code decoder} as
 * its first argument, of its child processes, and of the commands that need no server: a native executable has no other way
 * to start them.
 */
@QuarkusMain
public final class LuqServer {

    private LuqServer() {}

    public static void main(String[] arguments) throws InterruptedException {
        String role = arguments.length > 0 ? arguments[0] : "";
        switch (role) {
            case "worker" -> WorkerMain.main(Arrays.copyOfRange(arguments, 1, arguments.length));
            case "kernels" -> KernelTrialsMain.main(Arrays.copyOfRange(arguments, 1, arguments.length));
            case "speed" -> SpeedProbe.main(Arrays.copyOfRange(arguments, 1, arguments.length));
            case "job" -> JobMain.main(Arrays.copyOfRange(arguments, 1, arguments.length));
            case "decoder" -> DecoderMain.main(arguments);
            case "requantize", "plan", "eval", "export", "doctor" -> Main.main(arguments);
            default -> Quarkus.run(arguments);
        }
    }
}
