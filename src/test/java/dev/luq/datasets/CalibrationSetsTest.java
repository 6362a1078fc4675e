package dev.luq.datasets;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.files.DataFolder;
import dev.luq.serving.TestConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CalibrationSetsTest {

    @TempDir
    Path folder;

    private final Map<String, String> config = new HashMap<>();

    @Test
    void anUploadedSetIsThereAsAWhole() throws IOException {
        CalibrationSet set = upload("shapes", TestArchives.zip(TestArchives.set()));
        assertEquals(2, set.examples());
        assertEquals(1, set.withImages());
        assertEquals(Map.of("shape", 1), set.categories());
        assertTrue(set.uploaded());
        assertTrue(Files.exists(Path.of(set.folder()).resolve("images/a.png")));
        assertEquals(List.of(set), sets().list());
        assertEquals(set, sets().get("shapes"));
        nothingIsLeftOver("shapes");
    }

    @Test
    void oneFolderAroundEverythingAndWhatSystemsAddDoNotMatter() throws IOException {
        Map<String, byte[]> files = new HashMap<>();
        TestArchives.set().forEach((name, content) -> files.put("my set/" + name, content));
        files.put("__MACOSX/my set/._set.jsonl", new byte[3]);
        files.put("my set/.DS_Store", new byte[3]);
        CalibrationSet set = upload("wrapped", TestArchives.zip(files));
        assertEquals(upload("plain", TestArchives.zip(TestArchives.set())).digest(), set.digest());
        assertTrue(Files.exists(Path.of(set.folder()).resolve("set.jsonl")));
    }

    @Test
    void theSameUploadTwiceIsOneSetAndAnotherOneIsRefused() throws IOException {
        CalibrationSet set = upload("a", TestArchives.zip(TestArchives.set()));
        assertEquals(set, upload("a", TestArchives.zip(TestArchives.set())));
        Map<String, byte[]> other = TestArchives.set();
        other.put("more.jsonl", "{\"question\": \"x\", \"answer\": \"y\"}\n".getBytes(UTF_8));
        assertThrows(SetException.Conflict.class, () -> upload("a", TestArchives.zip(other)));
        sets().delete("a");
        assertThrows(SetException.NotFound.class, () -> sets().delete("a"));
        assertEquals(3, upload("a", TestArchives.zip(other)).examples());
        nothingIsLeftOver("a");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../out.png",
                "images/../../out.png",
                "/out.png",
                "C:\\out.png",
                "a\\..\\..\\out.png",
                "images//out.png",
                "./out.png",
                "a/b/c/d/e/f/g/h/i.png",
                "nul\u0000.png"
            })
    void namesThatLeadElsewhereAreRefused(String name) throws IOException {
        Map<String, byte[]> files = TestArchives.set();
        files.put(name, TestArchives.picture());
        SetException.Invalid refused =
                assertThrows(SetException.Invalid.class, () -> upload("bad", TestArchives.zip(files)));
        assertFalse(refused.getMessage().contains(folder.toString()), refused.getMessage());
        nothingIsLeftOver();
        assertFalse(Files.exists(folder.resolve("out.png")));
        assertFalse(Files.exists(folder.resolve("data").resolve("out.png")));
    }

    @ParameterizedTest
    @CsvSource({"0120777,link", "0020644,device", "0010644,device"})
    void linksAndDevicesAreRefused(String mode, String reason) throws IOException {
        byte[] zip = TestArchives.zip(
                TestArchives.set(), "link.png", Integer.parseInt(mode, 8), "/etc/passwd".getBytes(UTF_8));
        SetException.Invalid refused = assertThrows(SetException.Invalid.class, () -> upload("bad", zip));
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
        nothingIsLeftOver();
    }

    @Test
    void aBombIsRefusedWhenItGrowsTooLarge() throws IOException {
        config.put("max-unpacked-bytes", "1000000");
        Map<String, byte[]> files = TestArchives.set();
        files.put("zeros.jsonl", new byte[20_000_000]);
        byte[] bomb = TestArchives.zip(files);
        assertTrue(bomb.length < 100_000);
        assertThrows(SetException.TooLarge.class, () -> upload("bomb", bomb));
        nothingIsLeftOver();
    }

    @Test
    void tooManyFilesOrSetsAreRefused() throws IOException {
        config.put("max-files", "2");
        config.put("max-sets", "1");
        Map<String, byte[]> files = TestArchives.set();
        files.put("b.png", TestArchives.picture());
        assertThrows(SetException.TooLarge.class, () -> upload("many", TestArchives.zip(files)));
        upload("one", TestArchives.zip(TestArchives.set()));
        assertThrows(SetException.Conflict.class, () -> upload("two", TestArchives.zip(TestArchives.set())));
        nothingIsLeftOver("one");
    }

    @Test
    void whatIsNoSetIsRefused() throws IOException {
        byte[] good = TestArchives.zip(TestArchives.set());
        refused("no zip archive", "hello".getBytes(UTF_8));
        refused("no zip archive", new byte[0]);
        refused("no zip archive", Arrays.copyOf(good, good.length - 30));
        byte[] damaged = good.clone();
        Arrays.fill(damaged, 40, 120, (byte) 7);
        assertThrows(SetException.Invalid.class, () -> upload("bad", damaged));
        Map<String, byte[]> program = TestArchives.set();
        program.put("run.sh", "rm -r".getBytes(UTF_8));
        refused("neither .jsonl nor", TestArchives.zip(program));
        Map<String, byte[]> missing = TestArchives.set();
        missing.remove("images/a.png");
        refused("set.jsonl:1", TestArchives.zip(missing));
        Map<String, byte[]> twice = TestArchives.set();
        twice.put("images/A.PNG", TestArchives.picture());
        refused("twice", TestArchives.zip(twice));
        nothingIsLeftOver();
    }

    @Test
    void aClientThatGoesLeavesNothing() throws IOException {
        try (CalibrationSets.Upload upload = sets().receive("a")) {
            Files.write(upload.archive(), new byte[100]);
        }
        nothingIsLeftOver();
    }

    @Test
    void aNameIsReceivedOnceAtATime() throws IOException {
        CalibrationSets sets = sets();
        try (CalibrationSets.Upload first = sets.receive("a")) {
            assertThrows(SetException.Conflict.class, () -> sets.receive("a"));
            sets.receive("b").close();
            Files.write(first.archive(), TestArchives.zip(TestArchives.set()));
            first.accept();
            assertThrows(SetException.Conflict.class, () -> sets.receive("a"));
        }
        sets.receive("a").close();
        nothingIsLeftOver("a");
    }

    @Test
    void onlyAFewAreReceivedAtATime() throws IOException {
        CalibrationSets sets = sets();
        List<CalibrationSets.Upload> uploads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            uploads.add(sets.receive("set-" + i));
        }
        assertThrows(SetException.Busy.class, () -> sets.receive("more"));
        uploads.get(0).close();
        uploads.get(0).close();
        uploads.set(0, sets.receive("more"));
        assertThrows(SetException.Busy.class, () -> sets.receive("yet-more"));
        uploads.forEach(CalibrationSets.Upload::close);
        nothingIsLeftOver();
    }

    @Test
    void aFolderIsNamedBelowTheRootOnly() throws IOException {
        assertThrows(SetException.Invalid.class, () -> sets().name("a", "shapes"), "no root is configured");
        Path root = folder.resolve("root");
        config.put("root", root.toString());
        assertThrows(SetException.Invalid.class, () -> sets().name("a", "shapes"), "the root does not exist yet");
        Files.createDirectories(root);
        write(root.resolve("shapes"));
        write(folder.resolve("outside"));
        Files.createSymbolicLink(root.resolve("link"), folder.resolve("outside"));
        CalibrationSet set = sets().name("a", "shapes");
        assertFalse(set.uploaded());
        assertEquals(root.resolve("shapes").toString(), set.folder());
        assertEquals(set, sets().name("a", "./shapes"));
        for (String elsewhere :
                List.of("../outside", "link", folder.resolve("outside").toString(), "none", "a\u0000b")) {
            assertThrows(SetException.Invalid.class, () -> sets().name("b", elsewhere), elsewhere);
        }
        sets().delete("a");
        assertTrue(Files.exists(root.resolve("shapes").resolve("set.jsonl")), "the files are not the server's");
    }

    @Test
    void aFolderDirectlyInTheRootIsASetByItsOwnName() throws IOException {
        assertEquals(List.of(), sets().folders(), "no root is configured");
        Path root = folder.resolve("root");
        config.put("root", root.toString());
        assertEquals(List.of(), sets().folders(), "the root does not exist yet");
        write(root.resolve("shapes"));
        write(root.resolve("deep").resolve("below"));
        write(root.resolve("a b"));
        Files.createDirectories(root.resolve("empty"));
        assertEquals(List.of("shapes"), sets().folders());
        CalibrationSet set = sets().get("shapes");
        assertEquals(root.resolve("shapes").toRealPath().toString(), set.folder());
        assertEquals(2, set.examples());
        assertFalse(set.uploaded());
        assertEquals(set, sets().get("shapes"));
        for (String none : List.of("deep", "below", "a b", "empty", "..", "", "none")) {
            assertThrows(SetException.NotFound.class, () -> sets().get(none), none);
            assertThrows(SetException.NotFound.class, () -> sets().delete(none), none);
        }
        nothingIsLeftOver();
    }

    @Test
    void aFolderOfTheRootThatIsALinkIsNoSetByItself() throws IOException {
        Path root = Files.createDirectories(folder.resolve("root"));
        config.put("root", root.toString());
        write(folder.resolve("outside"));
        Files.createSymbolicLink(root.resolve("link"), folder.resolve("outside"));
        Files.createDirectories(root.resolve("lines"));
        Files.createSymbolicLink(
                root.resolve("lines").resolve("set.jsonl"),
                folder.resolve("outside").resolve("set.jsonl"));
        assertEquals(List.of(), sets().folders());
        assertThrows(SetException.NotFound.class, () -> sets().get("link"));
        assertThrows(SetException.NotFound.class, () -> sets().get("lines"));
    }

    @Test
    void aFolderOfTheRootIsCheckedWhenItIsAskedFor() throws IOException {
        Path root = folder.resolve("root");
        config.put("root", root.toString());
        write(root.resolve("shapes"));
        Files.delete(root.resolve("shapes").resolve("images").resolve("a.png"));
        assertEquals(List.of("shapes"), sets().folders());
        String refused = assertThrows(SetException.Invalid.class, () -> sets().get("shapes"))
                .getMessage();
        assertTrue(refused.contains("set.jsonl:1") && !refused.contains(folder.toString()), refused);
    }

    @Test
    void aSetOfTheSameNameHidesAFolderOfTheRoot() throws IOException {
        Path root = folder.resolve("root");
        config.put("root", root.toString());
        write(root.resolve("shapes"));
        write(root.resolve("other"));
        CalibrationSet named = sets().name("shapes", "other");
        assertEquals(named, sets().get("shapes"));
        assertEquals(List.of("other"), sets().folders());
        sets().delete("shapes");
        assertEquals(List.of("other", "shapes"), sets().folders());
        assertTrue(upload("shapes", TestArchives.zip(TestArchives.set())).uploaded());
        assertTrue(sets().get("shapes").uploaded());
        sets().delete("shapes");
        assertFalse(sets().get("shapes").uploaded());
        String refused = assertThrows(SetException.Conflict.class, () -> sets().delete("shapes"))
                .getMessage();
        assertTrue(refused.contains("luq.sets.root"), refused);
        assertTrue(Files.exists(root.resolve("shapes").resolve("set.jsonl")));
    }

    /** What the example in docs/api.md asks for. */
    @Test
    void theDemoModelsSetsAreThereAtOnce() {
        config.put("root", "models/demo");
        assertTrue(
                sets().folders().containsAll(List.of("calibration", "evaluation")),
                sets().folders().toString());
        assertTrue(sets().get("calibration").withImages() > 0);
        assertTrue(sets().get("evaluation").withImages() > 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", ".hidden", "a/b", "a b", "\u00e4"})
    void namesAreLetters(String name) {
        assertThrows(SetException.Invalid.class, () -> upload(name, TestArchives.zip(TestArchives.set())));
        assertThrows(SetException.NotFound.class, () -> sets().get(name));
    }

    @Test
    void whatCameInWhenAServerEndedIsRemoved() throws IOException {
        Path left = Files.createDirectories(
                folder.resolve("data").resolve("calibration").resolve(".incoming-x"));
        Files.writeString(left.resolve("upload.zip"), "half");
        sets().start(null);
        nothingIsLeftOver();
    }

    @Test
    void whatComesInAtAnotherServerOfTheDataFolderStays() throws IOException {
        try (CalibrationSets.Upload upload = sets().receive("a")) {
            Files.write(upload.archive(), TestArchives.zip(TestArchives.set()));
            sets().start(null);
            assertEquals(2, upload.accept().examples());
        }
        nothingIsLeftOver("a");
    }

    private void refused(String reason, byte[] archive) {
        String message = assertThrows(SetException.Invalid.class, () -> upload("bad", archive))
                .getMessage();
        assertTrue(message.contains(reason), message);
    }

    private static void write(Path set) throws IOException {
        for (Map.Entry<String, byte[]> file : TestArchives.set().entrySet()) {
            Files.createDirectories(set.resolve(file.getKey()).getParent());
            Files.write(set.resolve(file.getKey()), file.getValue());
        }
    }

    private CalibrationSet upload(String name, byte[] archive) throws IOException {
        try (CalibrationSets.Upload upload = sets().receive(name)) {
            Files.write(upload.archive(), archive);
            return upload.accept();
        }
    }

    private CalibrationSets sets() {
        return new CalibrationSets(TestConfig.of(SetsConfig.class, config), new DataFolder(folder.resolve("data")));
    }

    private void nothingIsLeftOver(String... expected) throws IOException {
        Path home = folder.resolve("data").resolve("calibration");
        if (Files.exists(home)) {
            try (Stream<Path> files = Files.list(home)) {
                assertEquals(
                        List.of(expected),
                        files.map(file -> file.getFileName().toString())
                                .sorted()
                                .toList());
            }
        }
    }
}
