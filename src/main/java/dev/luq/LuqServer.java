package dev.luq;

import dev.luq.worker.child.WorkerMain;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/**
 * Entry point of the server and, with {@code worker} as its first argument, of its worker processes: a native
 * executable has no other way to start them.
 */
@QuarkusMain
public final class LuqServer {

    private LuqServer() {
    }

    public static void main(String[] arguments) {
        if (arguments.length > 0 && arguments[0].equals("worker")) {
            WorkerMain.main(arguments);
        } else {
            Quarkus.run(arguments);
        }
    }
}
