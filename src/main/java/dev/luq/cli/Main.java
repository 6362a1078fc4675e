package dev.luq.cli;

import dev.luq.machine.NativeBuild;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of the launcher's Java commands. Exit status 0, 1 for a failure, 2 for a wrong command line. */
@Command(
        name = "luq",
        subcommands = {
            ChatCommand.class,
            DoctorCommand.class,
            RequantizeCommand.class,
            PlanCommand.class,
            EvalCommand.class,
            ExportCommand.class
        },
        mixinStandardHelpOptions = true)
public final class Main {

    private Main() {}

    public static void main(String[] args) {
        useCacheOf(System.getenv());
        System.exit(commandLine().execute(args));
    }

    /** Native libraries are unpacked where a server with this environment unpacks them. */
    static void useCacheOf(Map<String, String> environment) {
        String folder = environment.getOrDefault("LUQ_WORKER_PROCESS_NATIVE_CACHE_DIR", "");
        if (!folder.isEmpty() && System.getProperty(NativeBuild.CACHE_PROPERTY) == null) {
            System.setProperty(
                    NativeBuild.CACHE_PROPERTY, Path.of(folder).toAbsolutePath().toString());
        }
    }

    static CommandLine commandLine() {
        return commandLine(new Main());
    }

    /**
     * How the launcher's commands are run.
     *
     * @param command annotated with {@link Command}
     */
    public static CommandLine commandLine(Object command) {
        return new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    if (failure instanceof CliException) {
                        commandLine.getErr().println("luq: " + failure.getMessage());
                        return 1;
                    }
                    throw failure;
                });
    }
}
