package dev.luq.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlackboxTest {

    @TempDir
    Path folder;

    @Test
    void theServerReadsWhatTheWorkerWorksOnAlsoWhenTheFileHasNoNameAnyMore() throws IOException {
        Blackbox server = Blackbox.create(folder);
        Blackbox worker = Blackbox.open(server.file());
        server.unlink();
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(0, left.count());
        }
        worker.working(Blackbox.Stage.PROMPT, List.of("a"));
        worker.working(Blackbox.Stage.STEP, List.of("b", "c"));
        String thread = Thread.currentThread().getName();
        assertEquals(
                List.of(
                        new Blackbox.Work(Blackbox.Stage.PROMPT, thread, List.of("a")),
                        new Blackbox.Work(Blackbox.Stage.STEP, thread, List.of("b", "c"))),
                server.read());
        worker.working(Blackbox.Stage.STEP, List.of("d"));
        worker.idle(Blackbox.Stage.PROMPT);
        assertEquals(List.of(new Blackbox.Work(Blackbox.Stage.STEP, thread, List.of("d"))), server.read());
    }

    @Test
    void threadsThatDoTheSameKindOfWorkDoNotWriteOverEachOther() throws Exception {
        Blackbox box = Blackbox.create(folder);
        box.working(Blackbox.Stage.PROMPT, List.of("long"));
        Thread other = new Thread(() -> {
            box.working(Blackbox.Stage.PROMPT, List.of("short"));
            assertEquals(2, box.read().size());
            box.idle(Blackbox.Stage.PROMPT);
        });
        other.start();
        other.join();
        assertEquals(
                List.of(new Blackbox.Work(
                        Blackbox.Stage.PROMPT, Thread.currentThread().getName(), List.of("long"))),
                box.read());
    }

    @Test
    void moreThreadsThanThereAreAreasDisturbNobody() throws Exception {
        Blackbox box = Blackbox.create(folder);
        box.working(Blackbox.Stage.STEP, List.of("a"));
        for (int i = 0; i < 40; i++) {
            Thread other = new Thread(() -> {
                box.working(Blackbox.Stage.PROMPT, List.of("b"));
                box.idle(Blackbox.Stage.PROMPT);
            });
            other.start();
            other.join();
        }
        assertEquals(List.of("a"), box.read().get(0).subjects());
        assertEquals(1, box.read().size());
    }

    @Test
    void whatDoesNotFitIsLeftOut() throws IOException {
        Blackbox box = Blackbox.create(folder);
        box.working(Blackbox.Stage.STEP, Collections.nCopies(10_000, "0123456789"));
        int kept = box.read().get(0).subjects().size();
        assertTrue(kept > 100 && kept < 400, () -> String.valueOf(kept));
        assertEquals(1, box.read().size());
    }

    @Test
    void whateverTheOtherSideWroteCanBeRead() throws IOException {
        Random random = new Random(1);
        Blackbox box = Blackbox.create(folder);
        for (int i = 0; i < 200; i++) {
            byte[] bytes = new byte[4096 * Blackbox.Stage.values().length];
            random.nextBytes(bytes);
            if (i % 2 == 0) {
                bytes[0] = 0;
                bytes[1] = 0;
                bytes[2] &= 0x0f;
                java.util.Arrays.fill(bytes, 4, 8, (byte) 0);
            }
            Files.write(box.file(), bytes, java.nio.file.StandardOpenOption.WRITE);
            box.read();
        }
    }

    @Test
    void noneKeepsNothing() {
        Blackbox none = Blackbox.none();
        none.working(Blackbox.Stage.STEP, List.of("a"));
        none.idle(Blackbox.Stage.STEP);
        assertEquals(List.of(), none.read());
        assertFalse(none.isKept());
    }
}
