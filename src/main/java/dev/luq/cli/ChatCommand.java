package dev.luq.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code luq chat [IMAGE...] "question"}: prints the answer as it is generated. */
@Command(
        name = "chat",
        description = "Asks a question, also about pictures, and prints the answer as it comes.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = {
            "luq chat [OPTIONS] [IMAGE...] \"QUESTION\"",
            "       luq chat --interactive [OPTIONS] [IMAGE...] [\"QUESTION\"]"
        },
        footer = {"", "Asks the server at --server; when none answers there, starts one and ends it afterwards."})
final class ChatCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..*",
            paramLabel = "[IMAGE...] QUESTION",
            hideParamSyntax = true,
            description = "PNG, JPEG, WEBP or GIF files, in the order in which the model sees them; last the question.")
    private List<String> arguments = List.of();

    @Option(
            names = {"-i", "--interactive"},
            description = "Goes on with questions from standard input, one a line, until"
                    + " its end (Ctrl-D). Without arguments on a terminal that is the default.")
    private boolean interactive;

    @Option(
            names = "--server",
            paramLabel = "URL",
            converter = ServerAddress.class,
            defaultValue = "http://127.0.0.1:8080",
            description = "Server to ask, with its key in $LUQ_API_KEY (default: ${DEFAULT-VALUE}).")
    private URI server;

    @Option(
            names = "--model",
            paramLabel = "GGUF",
            description = "Model for a server of its own, with --mmproj where there are pictures.")
    private Path model;

    @Option(names = "--mmproj", paramLabel = "GGUF", description = "Vision projector of --model.")
    private Path mmproj;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "512",
            description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description = "0 for the likeliest answer, up to 2 (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Override
    public Integer call() throws IOException {
        ChatArguments asked = ChatArguments.of(arguments, interactive);
        if (model != null && mmproj == null && !asked.pictures().isEmpty()) {
            throw new CliException("--model needs --mmproj to see pictures.");
        }
        ChatSession session = new ChatSession(ChatSession.read(asked.pictures()), maxTokens, temperature);
        CompletionClient client = CompletionClient.withKeyOf(server, "LUQ_API_KEY");
        if (model == null && client.answers("/q/health/ready")) {
            converse(session, client, asked.question());
            return 0;
        }
        System.err.println("luq: starting a server for this question");
        try (ServerProcess own = model == null
                ? ServerProcess.asConfigured()
                : ServerProcess.ofModel(ModelOptions.of(model.toString(), mmproj))) {
            converse(session, own.client(), asked.question());
        }
        return 0;
    }

    private void converse(ChatSession session, CompletionClient client, Optional<String> question) throws IOException {
        question.ifPresent(first -> print(session, client, first));
        if (!interactive) {
            return;
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = next(lines); line != null; line = next(lines)) {
            if (!line.isBlank()) {
                print(session, client, line.strip());
            }
        }
    }

    @SuppressWarnings("SystemConsoleNull") // the launcher asks for the console that is null without a terminal
    private static String next(BufferedReader lines) throws IOException {
        if (System.console() != null) {
            System.err.print("> ");
        }
        return lines.readLine();
    }

    private static void print(ChatSession session, CompletionClient client, String question) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        session.ask(client, question, text -> {
            out.print(text);
            out.flush();
        });
        out.println();
    }
}
