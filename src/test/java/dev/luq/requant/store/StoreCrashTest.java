package dev.luq.requant.store;

import static dev.luq.Until.ended;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.luq.Integration;
import dev.luq.Seeds;
import dev.luq.files.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What kill -9 and a full disk leave behind. */
@Integration
class StoreCrashTest {

    private static final int KILLS = 8;

    @TempDir
    Path directory;

    /** Publishes, deletes and collects without end. Says so when it has begun. */
    public static final class Busy {
        public static void main(String[] args) throws IOException {
            LayerStore store = LayerStore.open(Path.of(args[0]));
            int variant = Integer.parseInt(args[1]);
            System.out.write('!');
            System.out.flush();
            while (true) {
                String id = "m" + ++variant;
                try (StoreLease lease = store.build()) {
                    store.publish(StoredModels.write(store, id, variant, 300_000));
                }
                if (variant % 2 == 0) {
                    store.delete(id);
                }
                store.collectGarbage();
            }
        }
    }

    @Test
    void afterAKillAtAnyMomentWhatIsThereIsWholeAndTheRestGoes() throws Exception {
        Path root = directory.resolve("store");
        LayerStore store = LayerStore.open(root);
        Manifest kept = StoredModels.write(store, "kept", 1, 300_000);
        store.publish(kept);
        StoreLease lease = store.lease("kept");
        SplittableRandom random = new SplittableRandom(Seeds.draw(StoreCrashTest.class));
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = start(Busy.class, root.toString(), Integer.toString(1000 * (kill + 1)));
            try {
                Thread.sleep(random.nextLong(150));
            } finally {
                kill(process);
            }
            for (Manifest manifest : store.manifests()) {
                store.verify(manifest);
            }
            for (Path seal : StoreFiles.list(root.resolve("entries"), ".json")) {
                String hex = seal.getFileName().toString().replace(".json", "");
                Manifest.Entry entry = store.entry(new EntryKey(hex)).orElseThrow();
                assertEquals(entry.sha256(), Sha256.hex(store.path(entry.key())));
            }
        }
        for (Manifest manifest : store.manifests()) {
            if (!manifest.id().equals("kept")) {
                store.delete(manifest.id());
            }
        }
        store.collectGarbage();
        store.verify(kept);
        assertEquals(2L * kept.entries().size(), count(root.resolve("entries")));
        assertEquals(1, count(root.resolve("manifests")));
        assertEquals(1, count(root.resolve("leases")), "ours");
        lease.close();
    }

    /** Leases a model until it is killed. */
    public static final class Holder {
        public static void main(String[] args) throws Exception {
            LayerStore.open(Path.of(args[0])).lease(args[1]);
            System.out.write('!');
            System.out.flush();
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    @Test
    void aLeaseHoldsInOtherProcessesAndEndsWithItsOwn() throws Exception {
        Path root = directory.resolve("store");
        LayerStore store = LayerStore.open(root);
        store.publish(StoredModels.write(store, "demo", 1, 1000));
        Process process = start(Holder.class, root.toString(), "demo");
        try {
            assertThrows(StoreException.InUse.class, () -> store.delete("demo"));
        } finally {
            kill(process);
        }
        store.delete("demo");
    }

    /** @return when the process has written its first byte */
    private static Process start(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertEquals('!', process.getInputStream().read());
        return process;
    }

    /** Fails where the process had ended by itself. */
    private static void kill(Process process) {
        process.destroyForcibly();
        assertEquals(128 + 9, ended("the killed process", process));
    }

    @Test
    void aFullDiskIsSaidSoAndLosesNothing() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.toString()),
                "mounting a small tmpfs takes root's rights");
        try {
            LayerStore store = LayerStore.open(disk.resolve("store"));
            Manifest small = StoredModels.write(store, "small", 1, 50_000);
            store.publish(small);

            StoreException e =
                    assertThrows(StoreException.NoSpace.class, () -> StoredModels.write(store, "large", 2, 400_000));
            assertTrue(e.getMessage().contains("full"), e.getMessage());
            assertThrows(
                    StoreException.NoSpace.class,
                    () -> store.export(small, disk.resolve("export.gguf")),
                    "two entries of 400 kB are complete");

            store.verify(small);
            store.collectGarbage();
            store.export(small, disk.resolve("export.gguf"));
            store.publish(StoredModels.write(store, "another", 3, 50_000));
        } finally {
            assertTrue(run("umount", disk.toString()));
        }
    }

    private static boolean run(String... command) throws Exception {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            return false;
        }
        process.getInputStream().transferTo(OutputStream.nullOutputStream());
        return process.waitFor() == 0;
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }
}
