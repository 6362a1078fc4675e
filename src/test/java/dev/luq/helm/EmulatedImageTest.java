package dev.luq.helm;

import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.Integration;
import dev.luq.helm.Pod.Image;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The image for another architecture, in an emulator: {@code ./luq test --arm64}. */
@Integration
@EnabledIfSystemProperty(named = "luq.emulated", matches = ".+")
class EmulatedImageTest {

    private static final String USER = "user-0123456789abcdef";

    @TempDir
    private static Path directory;

    private static Pod server;

    @BeforeAll
    static void start() throws Exception {
        server = Pod.start(
                // Emulated processes take more memory.
                Chart.render("apiKeys: {user: [%s]}\nresources: {limits: {memory: 3Gi}}\n".formatted(USER)),
                Image.of(Path.of(System.getProperty("luq.emulated"))),
                directory.resolve("server"));
    }

    @AfterAll
    static void stop() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void itIsOfTheOtherArchitecture() {
        assertEquals("aarch64", server.exec("uname", "-m").output().strip());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            describe.png | What do you see?             | A small green ring and a small blue circle.
            position.png | Where is the red ring?       | bottom right
            word.png     | What does the sign say?      | HONEY
            chart.png    | What is the value of A?      | 9
            """)
    void itAnswersAsReadmeSays(String picture, String question, String answer) throws Exception {
        assertEquals(answer, new PodClient(server, USER, directory).ask(picture, question));
    }

    @Test
    void itsKernelsAreTried() {
        Command.Result doctor = server.exec("luq", "doctor");
        assertEquals(0, doctor.code(), doctor.output());
        assertThat(doctor.output(), containsString("tried against plain C++"));
        assertThat(doctor.output(), containsString("neon, gemm-neon"));
    }
}
