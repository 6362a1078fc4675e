package dev.luq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code luq chat IMAGE "question"}: prints the answer as it is generated. */
@Command(name = "chat", description = "Asks a question about a picture and prints the answer as it comes.",
        mixinStandardHelpOptions = true, sortOptions = false,
        footer = "%nAsks the server at --server; when none answers there, starts one and ends it afterwards.")
final class ChatCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "IMAGE", description = "A PNG, JPEG, WEBP or GIF file.")
    private Path image;

    @Parameters(index = "1", paramLabel = "QUESTION")
    private String question;

    @Option(names = "--server", paramLabel = "URL", defaultValue = "http://127.0.0.1:8080",
            description = "Server to ask (default: ${DEFAULT-VALUE}).")
    private URI server;

    @Option(names = "--model", paramLabel = "GGUF", description = "Model for a server of its own, with --mmproj.")
    private Path model;

    @Option(names = "--mmproj", paramLabel = "GGUF", description = "Vision projector of --model.")
    private Path mmproj;

    @Option(names = "--max-tokens", paramLabel = "N", defaultValue = "512",
            description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int maxTokens;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "0",
            description = "0 for the likeliest answer, up to 2 (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Override
    public Integer call() {
        ObjectNode request = request();
        CompletionClient client = new CompletionClient(server, Optional.ofNullable(System.getenv("LUQ_API_KEY")));
        if (model == null && client.answers("/q/health/ready")) {
            print(client, request);
            return 0;
        }
        System.err.println("luq: starting a server for this question");
        try (ServerProcess own = ServerProcess.start(serverOptions(), Duration.ofMinutes(10))) {
            print(new CompletionClient(own.address(), Optional.empty()), request);
        }
        return 0;
    }

    private List<String> serverOptions() {
        if (model == null) {
            return List.of();
        }
        if (mmproj == null) {
            throw new CliException("--model needs --mmproj to see pictures.");
        }
        return List.of("--model", model.toAbsolutePath().toString(), "--mmproj", mmproj.toAbsolutePath().toString());
    }

    private ObjectNode request() {
        ObjectNode request = CompletionClient.JSON.createObjectNode();
        request.put("stream", true).put("max_completion_tokens", maxTokens).put("temperature", temperature);
        ArrayNode content = request.putArray("messages").addObject().put("role", "user").putArray("content");
        content.addObject().put("type", "image_url").putObject("image_url").put("url", dataUrl());
        content.addObject().put("type", "text").put("text", question);
        return request;
    }

    /** The server goes by the bytes and ignores the announced type. */
    private String dataUrl() {
        try {
            return "data:image/png;base64," + Base64.getEncoder().encodeToString(Files.readAllBytes(image));
        } catch (IOException e) {
            throw new CliException("Cannot read the picture " + image + ".", e);
        }
    }

    private static void print(CompletionClient client, ObjectNode request) {
        request.put("model", client.get("/v1/models").path("data").path(0).path("id").asText());
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        client.stream(request, text -> {
            out.print(text);
            out.flush();
        });
        out.println();
    }
}
