package dev.luq.http.access;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApiKeysTest {

    private static final String KEY = "a-key-of-20-letters=";

    @Test
    void aLineOfTheOldKindIsAKeyWithARole() {
        ApiKeys keys =
                parse("# two keys", "", "user-key-12345678", " admin:admin-key-1234567 ", "user: other-key-123456");
        assertEquals(Role.USER, keys.find("user-key-12345678").orElseThrow().role());
        assertEquals(Role.ADMIN, keys.find("admin-key-1234567").orElseThrow().role());
        assertEquals(Role.USER, keys.find("other-key-123456").orElseThrow().role());
        assertEquals(Optional.empty(), keys.find("user-key-12345679"));
        assertEquals(Optional.empty(), keys.find(""));
        assertEquals(3, keys.size());
    }

    @Test
    void aKeyWithoutANameIsCalledByItsDigest() {
        String digest = HexFormat.of().formatHex(digest("admin-key-1234567"));
        assertEquals(
                "admin-" + digest.substring(0, 8),
                parse("admin:admin-key-1234567")
                        .find("admin-key-1234567")
                        .orElseThrow()
                        .name());
    }

    @Test
    void aLineSaysAllThereIsAboutAKey() {
        ApiKey key = parse("admin:" + KEY + " name=alice@example  expires=2027-01-01T00:00:00Z requests-per-minute=60"
                        + "\ttokens-per-minute=20000 models=a,b/c")
                .find(KEY)
                .orElseThrow();
        assertEquals("alice@example", key.name());
        assertEquals(Role.ADMIN, key.role());
        assertEquals(OptionalLong.of(60), key.requestsPerMinute());
        assertEquals(OptionalLong.of(20000), key.tokensPerMinute());
        assertEquals(Set.of("a", "b/c"), key.models());
        assertFalse(key.isExpired(Instant.parse("2026-12-31T23:59:59Z")));
        assertTrue(key.isExpired(Instant.parse("2027-01-01T00:00:00Z")));
        assertFalse(parse(KEY).find(KEY).orElseThrow().isExpired(Instant.MAX));
    }

    @Test
    void aDigestStandsForItsKey() {
        String digest = HexFormat.of().formatHex(digest(KEY));
        ApiKey key = parse("admin:sha256:" + digest + " name=root").find(KEY).orElseThrow();
        assertEquals(Role.ADMIN, key.role());
        assertArrayEquals(digest(KEY), key.digest());
        assertEquals(
                Optional.empty(),
                parse("sha256:" + digest).find("sha256:" + digest),
                "the digest itself opens nothing");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "hunter2 | shorter than 16",
                "admin:hunter2 | shorter than 16",
                "hunter2hunter2hunter2 hunter2 | word 2 is none of the attributes",
                "hunter2hunter2hunter2 hunter2=x | word 2 is none of the attributes",
                "hunter2hunter2hunter2 name=hunter2,x | name must be",
                "hunter2hunter2hunter2 name= | name must be",
                "hunter2hunter2hunter2 expires=hunter2 | expires must be",
                "hunter2hunter2hunter2 expires=2027-01-01 | expires must be",
                "hunter2hunter2hunter2 requests-per-minute=0 | requests-per-minute must be",
                "hunter2hunter2hunter2 tokens-per-minute=-1 | tokens-per-minute must be",
                "hunter2hunter2hunter2 tokens-per-minute=99999999999999 | tokens-per-minute must be",
                "hunter2hunter2hunter2 models=a,,hunter2 | models must be",
                "hunter2hunter2hunter2 models= | models must be",
                "hunter2hunter2hunter2 name=a name=b | name is given twice",
                "hunter2hunter2hunter2 name=first | another key has the same name",
                "admin:first-hunter2-key | the same key is there before"
            })
    void whatIsWrongIsNamedByItsLineAndNeverRepeated(String line, String why) {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> parse("first-hunter2-key name=first", "", line))
                .getMessage();
        assertTrue(message.startsWith("keys, line 3: ") && message.contains(why), message);
        assertFalse(message.contains("hunter2"), message);
    }

    @Test
    void aFileIsReadAgainWhenItsContentChanged(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("keys");
        Files.writeString(path, KEY);
        KeyFile file = new KeyFile(path);
        assertEquals(1, file.readIfChanged().size());
        FileTime time = Files.getLastModifiedTime(path);
        assertNull(file.readIfChanged());
        Files.writeString(path, KEY.replace('a', 'b'));
        Files.setLastModifiedTime(path, time);
        assertTrue(file.readIfChanged().find(KEY.replace('a', 'b')).isPresent());
    }

    /** As Kubernetes changes a Secret: the file is a link through a link to a folder, and that one is replaced. */
    @Test
    void aFileIsReadAgainWhenALinkOnItsWayChanged(@TempDir Path folder) throws IOException {
        Files.writeString(Files.createDirectory(folder.resolve("..one")).resolve("api-keys"), KEY);
        Files.writeString(Files.createDirectory(folder.resolve("..two")).resolve("api-keys"), "admin:" + KEY);
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..one"));
        Path path = Files.createSymbolicLink(folder.resolve("api-keys"), Path.of("..data/api-keys"));
        KeyFile file = new KeyFile(path);
        assertEquals(Role.USER, file.readIfChanged().find(KEY).orElseThrow().role());
        Files.createSymbolicLink(folder.resolve("..data_tmp"), Path.of("..two"));
        Files.move(folder.resolve("..data_tmp"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
        assertEquals(Role.ADMIN, file.readIfChanged().find(KEY).orElseThrow().role());
    }

    @Test
    void aFileOfNoUseIsRefusedOnceUntilItChanges(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("keys");
        KeyFile file = new KeyFile(path);
        assertTrue(refusal(file).contains("cannot be read"));
        assertNull(file.readIfChanged());
        Files.writeString(path, "# nobody\n");
        assertTrue(refusal(file).contains("no key"));
        assertNull(file.readIfChanged());
        Files.write(path, new byte[] {(byte) 0xff});
        assertTrue(refusal(file).contains("UTF-8"));
        Files.write(path, new byte[(1 << 20) + 1]);
        assertTrue(refusal(file).contains("larger"));
        Files.writeString(path, KEY + "\nhunter2\n");
        assertTrue(refusal(file).contains("line 2"));
        Files.writeString(path, KEY);
        assertEquals(1, file.readIfChanged().size());
    }

    private static String refusal(KeyFile file) {
        return assertThrows(IllegalArgumentException.class, file::readIfChanged).getMessage();
    }

    private static ApiKeys parse(String... lines) {
        return ApiKeys.parse("keys, line", List.of(lines));
    }

    private static byte[] digest(String key) {
        return Sha256.bytes(key.getBytes(StandardCharsets.UTF_8));
    }
}
