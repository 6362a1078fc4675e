package dev.luq.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

/** Questions and answers so far, about the same pictures. For one thread. */
final class ChatSession {

    private final ObjectNode request = CompletionClient.JSON.createObjectNode();
    private final ArrayNode messages = request.putArray("messages");
    private final List<String> pictures;

    /**
     * @param pictures files in a format that the server knows, shown with the first question
     * @param maxTokens longest answer
     * @param temperature of sampling, 0 for the likeliest answer
     */
    ChatSession(List<byte[]> pictures, int maxTokens, double temperature) {
        this.pictures = pictures.stream().map(ChatSession::dataUrl).toList();
        request.put("stream", true).put("max_completion_tokens", maxTokens).put("temperature", temperature);
    }

    /** @throws CliException when a picture cannot be read */
    static List<byte[]> read(List<Path> pictures) {
        return pictures.stream().map(ChatSession::read).toList();
    }

    private static byte[] read(Path picture) {
        try {
            return Files.readAllBytes(picture);
        } catch (IOException e) {
            throw new CliException("Cannot read the picture " + picture + ".", e);
        }
    }

    /** The server goes by the bytes and ignores the announced type. */
    private static String dataUrl(byte[] picture) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(picture);
    }

    /**
     * Asks the server's first model with everything said before.
     *
     * @param text gets each piece of the answer as it comes
     * @throws CliException when the server refuses, fails or is gone
     */
    void ask(CompletionClient client, String question, Consumer<String> text) {
        request.put("model", client.model());
        ArrayNode content = CompletionClient.JSON.createArrayNode();
        if (messages.isEmpty()) {
            for (String picture : pictures) {
                content.addObject().put("type", "image_url").putObject("image_url").put("url", picture);
            }
        }
        content.addObject().put("type", "text").put("text", question);
        messages.addObject().put("role", "user").set("content", content);
        StringBuilder answer = new StringBuilder();
        client.stream(request, text.andThen(answer::append));
        messages.addObject().put("role", "assistant").put("content", answer.toString());
    }
}
