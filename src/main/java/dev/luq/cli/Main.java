package dev.luq.cli;

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
        System.exit(commandLine().execute(args));
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
