package dev.luq.helm;

import static dev.luq.Until.until;
import static dev.luq.helm.PodClient.answer;
import static org.hamcrest.MatcherAssert.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.lessThan;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.Children;
import dev.luq.Integration;
import dev.luq.helm.Pod.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Pods of the image with the memory of the chart's default values: {@code ./luq test --deploy}. */
@Integration
@EnabledIfSystemProperty(named = "luq.deploy", matches = ".+")
class DeployMemoryTest {

    private static final long MIB = 1 << 20;
    private static final String USER = "user-0123456789abcdef";
    private static final String VALUES = "apiKeys: {user: [%s]}\n".formatted(USER);
    private static final int CLIENTS = 6;
    private static final int ROUNDS = 4;
    /** Pixels of a picture's side. */
    private static final int SIDE = 1000;

    private static final int TOKENS = 64;

    @TempDir
    private Path directory;

    @Test
    void sixClientsDoNotEndWhatHasTheMemoryOfTheEstimate() throws Exception {
        try (Pod pod = start()) {
            CgroupMemory memory = pod.memory();
            long most = 0;
            for (int round = 0; round < ROUNDS; round++) {
                List<Process> clients = new ArrayList<>();
                for (int i = 0; i < CLIENTS; i++) {
                    clients.add(user(pod).ask(picture(CLIENTS * round + i), TOKENS));
                }
                while (clients.stream().anyMatch(Process::isAlive)) {
                    most = Math.max(most, memory.held());
                    Thread.sleep(100);
                }
                for (Process client : clients) {
                    assertThat(answer(client), containsString("[DONE]"));
                }
            }
            System.out.printf("six clients: %d of %d MiB at most%n", most / MIB, memory.limit() / MIB);
            assertThat(most, lessThan(memory.limit()));
            assertEquals(0, memory.killed());
        }
    }

    @Test
    void aWorkerThatRunsOutOfMemoryHasASuccessorOfTheSameServer() throws Exception {
        try (Pod pod = start()) {
            CgroupMemory memory = pod.memory();
            long limit = memory.limit();
            ProcessHandle server = ProcessHandle.of(pod.pid()).orElseThrow();
            ProcessHandle worker = Children.of(server, "WorkerMain").get(0);
            List<Process> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(user(pod).ask(picture(i), TOKENS));
            }
            until("the worker is ended", () -> {
                memory.shrink();
                return !worker.isAlive();
            });
            memory.limit(limit);
            assertTrue(memory.killed() > 0);
            pod.awaitReady();
            for (Process client : clients) {
                answer(client);
            }
            assertThat(answer(user(pod).ask()), containsString("[DONE]"));
            assertTrue(server.isAlive());
        }
    }

    private Pod start() throws IOException {
        return Pod.start(
                Chart.render(VALUES), Image.of(Path.of(System.getProperty("luq.deploy"))), directory.resolve("pod"));
    }

    private PodClient user(Pod pod) {
        return new PodClient(pod, USER, directory);
    }

    /** One that no other seed gives, of a megapixel. */
    private static byte[] picture(long seed) throws IOException {
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(seed);
        for (int y = 0; y < SIDE; y++) {
            int color = random.nextInt(1 << 24);
            for (int x = 0; x < SIDE; x++) {
                image.setRGB(x, y, color + x);
            }
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        return png.toByteArray();
    }
}
