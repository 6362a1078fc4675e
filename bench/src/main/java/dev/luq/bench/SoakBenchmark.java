package dev.luq.bench;

import dev.luq.bench.soak.Soak;
import dev.luq.cli.CliException;
import dev.luq.cli.ServerProcess;
import dev.luq.cli.Waiting;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code luq bench soak}: whether a server stands hours of clients of every kind and the deaths of its workers. */
@Command(
        name = "soak",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Asks a server for a long time what clients ask, right and wrong, and kills its workers meanwhile.",
        footerHeading = "%nHow it is measured%n",
        footer = {
            "A server of its own serves the demo model. Each connection is a client that asks, waits and asks again: texts,"
                    + " pictures, tools, schemas, streamed or not; broken JSON, fields, pictures and HTTP; bodies that drip or stop,"
                    + " answers that are read slowly; and clients that leave. The same seed asks the same. Clients come from many"
                    + " addresses of the loopback network.",
            "A minute after the model is back its worker is killed again, by SIGKILL and SIGSEGV by turns. Requests that were"
                    + " there at a kill or came before the model was back may fail with worker_restarting; a full queue may answer"
                    + " 429. Whatever else is not as the API promises is wrong.",
            "At the end nothing may run, every slot answers, descriptors are closed, one worker is there, and no more died than"
                    + " were killed. Over ten minutes or more, the medians of the server's resident memory, descriptors, threads and"
                    + " children in the last quarter may be 5 % above those of the second quarter at most.",
            "Exit status 0 when it held, 1 when it did not."
        })
final class SoakBenchmark implements Callable<Integer> {

    private static final Duration START = Duration.ofMinutes(10);

    @Option(names = "--minutes", paramLabel = "N", defaultValue = "60", description = "Default: ${DEFAULT-VALUE}.")
    private int minutes;

    @Option(names = "--connections", paramLabel = "N", defaultValue = "200", description = "Default: ${DEFAULT-VALUE}.")
    private int connections;

    @Option(
            names = "--rate",
            paramLabel = "R",
            defaultValue = "20",
            description = "Requests a second of all clients together (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of what is asked (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    public Integer call() throws IOException {
        if (minutes < 1 || connections < 1 || connections > 5_000 || !(rate > 0)) {
            throw new CliException("--minutes is 1 or more, --connections 1 to 5000, --rate above 0.");
        }
        try (TemporaryFolder folder = TemporaryFolder.create();
                ServerProcess server = ServerProcess.start(
                        List.of(
                                "-Dluq.data-dir=" + folder.resolve("data"),
                                "-Dluq.worker.process.crash-dir=" + folder.path(),
                                // A worker that lived from one kill to the next is no reason to wait before the next
                                // start.
                                "-Dluq.worker.restart.stable-after=30S"),
                        START)) {
            boolean held = new Soak(
                            server.address(),
                            server.handle(),
                            new Soak.Load(Duration.ofMinutes(minutes), connections, rate, seed),
                            System.out)
                    .run();
            if (!held) {
                System.out.println("The end of the server's log:\n" + server.logEnd());
            }
            return held ? 0 : 1;
        } catch (InterruptedException e) {
            throw Waiting.interrupted(e);
        }
    }
}
