package dev.luq.requant.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.BusyProcess;
import dev.luq.Integration;
import dev.luq.Seeds;
import dev.luq.SmallDisk;
import dev.luq.files.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
            BusyProcess process = BusyProcess.start(Busy.class, root.toString(), Integer.toString(1000 * (kill + 1)));
            try {
                Thread.sleep(random.nextLong(150));
            } finally {
                process.kill();
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
        BusyProcess process = BusyProcess.start(Holder.class, root.toString(), "demo");
        try {
            assertThrows(StoreException.InUse.class, () -> store.delete("demo"));
        } finally {
            process.kill();
        }
        store.delete("demo");
    }

    @Test
    void aFullDiskIsSaidSoAndLosesNothing() throws Exception {
        try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), 1 << 20)) {
            LayerStore store = LayerStore.open(disk.path().resolve("store"));
            Manifest small = StoredModels.write(store, "small", 1, 50_000);
            store.publish(small);

            StoreException e =
                    assertThrows(StoreException.NoSpace.class, () -> StoredModels.write(store, "large", 2, 400_000));
            assertTrue(e.getMessage().contains("full"), e.getMessage());
            assertThrows(
                    StoreException.NoSpace.class,
                    () -> store.export(small, disk.path().resolve("export.gguf")),
                    "two entries of 400 kB are complete");

            store.verify(small);
            store.collectGarbage();
            store.export(small, disk.path().resolve("export.gguf"));
            store.publish(StoredModels.write(store, "another", 3, 50_000));
        }
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.count();
        }
    }
}
