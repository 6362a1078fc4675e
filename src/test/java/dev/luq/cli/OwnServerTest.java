package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Integration;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a command starts a server of its own, whose configuration may name other models and another address. */
@Integration
class OwnServerTest {

    @TempDir
    Path folder;

    @Test
    void itHasTheModelThatWasGivenAndListensHereAlone() throws IOException {
        Path model = Files.createFile(folder.resolve("mine.gguf"));
        String picture = Files.writeString(folder.resolve("star.png"), "a star").toString();
        StringWriter error = new StringWriter();
        List<String> options;
        try (NotedLauncher launcher = new NotedLauncher(folder)) {
            int status = Main.commandLine()
                    .setErr(new PrintWriter(error, true))
                    .execute("chat", "--model", model.toString(), "--mmproj", picture, picture, "What is this?");
            assertEquals(1, status);
            options = launcher.options();
        }
        assertTrue(error.toString().contains("The server ended with status 3."), error.toString());
        assertEquals(List.of("serve", "--host", "127.0.0.1", "--port"), options.subList(0, 4));
        assertEquals(
                List.of("--model", model.toString(), "-Dluq.model-id=mine", "-Dluq.mmproj=" + picture),
                options.subList(5, options.size()));
    }
}
