package dev.luq.helm;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.luq.Integration;
import dev.luq.files.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script of the init container, with real curl, against an HTTP server in this JVM. */
@Integration
class FetchModelsScriptTest {

    private static final byte[] MODEL = new byte[1 << 20];

    static {
        new Random(1).nextBytes(MODEL);
    }

    @TempDir
    private Path directory;

    private HttpServer server;
    private volatile boolean ranges = true;
    private volatile int breakAfter = Integer.MAX_VALUE;
    private final List<String> requested = Collections.synchronizedList(new ArrayList<>());
    private String output;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aFileIsFetchedOnce() throws Exception {
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertEquals(List.of("whole"), requested);
    }

    @Test
    void aFileIsReadOnceForItsSum() throws Exception {
        fetch(Sha256.hex(MODEL), "", "-xc");
        assertEquals(
                1, output.lines().filter(line -> line.matches("\\++ sha256sum")).count(), output);
        fetch(Sha256.hex(MODEL), "", "-xc");
        assertFalse(output.contains("+ sha256sum"), output);
    }

    @Test
    void aFileThatSomebodyBroughtIsTakenByItsSum() throws Exception {
        Files.createDirectories(file().getParent());
        Files.write(file(), MODEL);
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertEquals(List.of(), requested);
    }

    /** As a pod leaves it that is killed before it moves what it verified; the file is that of the values before. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWasVerifiedIsNotFetchedAgain(boolean another) throws Exception {
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        Files.move(file(), part());
        if (another) {
            Files.write(file(), new byte[MODEL.length]);
            Files.setLastModifiedTime(file(), FileTime.fromMillis(0));
        }
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
        assertFalse(Files.exists(part()));
        assertEquals(List.of("whole"), requested);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aNoteWithoutItsFileOrWithAnotherIsNotBelieved(boolean another) throws Exception {
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        Files.delete(file());
        if (another) {
            Files.write(file(), new byte[MODEL.length - 1]);
        }
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
        assertEquals(List.of("whole", "whole"), requested);
    }

    @Test
    void aPartThatIsWholeIsNotFetchedAgain() throws Exception {
        Files.createDirectories(file().getParent());
        Files.write(part(), MODEL);
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
        assertEquals(List.of("bytes=" + MODEL.length + "-"), requested);
    }

    @Test
    void whatWasBegunGoesOn() throws Exception {
        Files.createDirectories(file().getParent());
        Files.write(part(), Arrays.copyOf(MODEL, 300_000));
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
        assertEquals(List.of("bytes=300000-"), requested);
    }

    @Test
    void aConnectionThatBreaksIsTakenUpAgain() throws Exception {
        breakAfter = 400_000;
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
        assertEquals(3, requested.size(), requested::toString);
    }

    @Test
    void aSourceWithoutRangesStartsAnew() throws Exception {
        ranges = false;
        Files.createDirectories(file().getParent());
        Files.write(part(), Arrays.copyOf(MODEL, 300_000));
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
    }

    @Test
    void aFileThatIsAnotherIsRefusedAndNotKept() throws Exception {
        assertEquals(1, fetch("0".repeat(64), ""));
        assertThat(output, containsString("has another SHA-256"));
        assertFalse(Files.exists(file()));
        assertFalse(Files.exists(part()));
    }

    @Test
    void aPartOfAnotherFileIsThrownAway() throws Exception {
        Files.createDirectories(file().getParent());
        Files.write(part(), new byte[MODEL.length + 5]);
        assertEquals(0, fetch(Sha256.hex(MODEL), ""));
        assertArrayEquals(MODEL, Files.readAllBytes(file()));
    }

    @Test
    void aSourceThatIsNotThereFailsAndSaysSo() throws Exception {
        server.stop(0);
        assertEquals(1, fetch(Sha256.hex(MODEL), ""));
        assertThat(output, containsString("could not be fetched"));
    }

    @Test
    void theHeaderOfASecretIsSent() throws Exception {
        Path header = Files.writeString(directory.resolve("header"), "Authorization: Bearer of-the-hub\n");
        assertEquals(0, fetch(Sha256.hex(MODEL), header.toString()));
        assertEquals(List.of("whole Bearer of-the-hub"), requested);
    }

    private Path file() {
        return directory.resolve("models").resolve("a").resolve("model.gguf");
    }

    private Path part() {
        return file().resolveSibling("model.gguf.part");
    }

    private int fetch(String sum, String header) throws Exception {
        return fetch(sum, header, "-c");
    }

    /** @param option of the shell; {@code -xc} prints each command */
    private int fetch(String sum, String header, String option) throws Exception {
        ProcessBuilder shell = new ProcessBuilder(
                "sh",
                option,
                Files.readString(Chart.DIRECTORY.resolve("files/fetch-models.sh")),
                "fetch-models",
                file().toString(),
                "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                        + server.getAddress().getPort() + "/model.gguf",
                sum,
                header);
        shell.environment().put("LUQ_FETCH_PAUSE", "0");
        Process process = shell.redirectErrorStream(true).start();
        output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        String key = exchange.getRequestHeaders().getFirst("Authorization");
        requested.add((range == null ? "whole" : range) + (key == null ? "" : " " + key));
        int from = ranges && range != null ? Integer.parseInt(range.replaceAll("\\D", "")) : 0;
        try (exchange) {
            if (from >= MODEL.length) {
                exchange.sendResponseHeaders(416, -1);
                return;
            }
            if (from > 0) {
                exchange.getResponseHeaders()
                        .set("Content-Range", "bytes %d-%d/%d".formatted(from, MODEL.length - 1, MODEL.length));
            }
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, MODEL.length - from);
            // With fewer bytes than announced, the exchange's close breaks the connection; the body's own would not.
            OutputStream body = exchange.getResponseBody();
            body.write(MODEL, from, Math.min(breakAfter, MODEL.length - from));
            body.flush();
        }
    }
}
