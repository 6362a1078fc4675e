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
public final class ChatSession {

    private final ObjectNode request = CompletionClient.JSON.createObjectNode();
    private final ArrayNode messages = request.putArray("messages");
    private final List<byte[]> pictures;

    /**
     * @param pictures files in a format that the server knows, shown with the first question
     * @param maxTokens longest answer
     * @param temperature of sampling, 0 for the likeliest answer
     */
    public ChatSession(List<byte[]> pictures, int maxTokens, double temperature) {
        this.pictures = List.copyOf(pictures);
        request.put("stream", true).put("max_completion_tokens", maxTokens).put("temperature", temperature);
    }

    /** @throws CliException when a picture cannot be read */
    public static List<byte[]> read(List<Path> pictures) {
        return pictures.stream().map(ChatSession::read).toList();
    }

    private static byte[] read(Path picture) {
        try {
            return Files.readAllBytes(picture);
        } catch (IOException e) {
            throw new CliException("Cannot read the picture " + picture + ".", e);
        }
    }

    /** A question about pictures, as a request has it. */
    public static ObjectNode message(List<byte[]> pictures, String question) {
        ObjectNode message = CompletionClient.JSON.createObjectNode().put("role", "user");
        ArrayNode content = message.putArray("content");
        for (byte[] picture : pictures) {
            content.addObject().put("type", "image_url").putObject("image_url").put("url", dataUrl(picture));
        }
        content.addObject().put("type", "text").put("text", question);
        return message;
    }

    /** The server goes by the bytes and ignores the announced type. */
    private static String dataUrl(byte[] picture) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(picture);
    }

    /**
     * Asks the client's model with everything said before.
     *
     * @param text gets each piece of the answer as it comes
     * @throws CliException when the server refuses, fails or is gone
     */
    public void ask(CompletionClient client, String question, Consumer<String> text) {
        request.put("model", client.model());
        messages.add(message(messages.isEmpty() ? pictures : List.of(), question));
        StringBuilder answer = new StringBuilder();
        client.stream(request, text.andThen(answer::append));
        messages.addObject().put("role", "assistant").put("content", answer.toString());
    }
}
