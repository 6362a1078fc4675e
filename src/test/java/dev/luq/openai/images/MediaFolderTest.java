package dev.luq.openai.images;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.intake.IntakeBudget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MediaFolderTest {

    private static final byte[] PICTURE = {1, 2, 3};
    private static final int LIMIT = 1000;

    @TempDir
    Path outside;

    private final IntakeBudget budget = new IntakeBudget(10_000, 1000);
    private final IntakeBudget.Share share = budget.reserve("a", 0);
    private Path root;
    private MediaFolder folder;

    @BeforeEach
    void make() throws IOException {
        root = Files.createDirectories(outside.resolve("media"));
        Files.createDirectories(root.resolve("sub dir"));
        Files.write(root.resolve("a.png"), PICTURE);
        Files.write(root.resolve("sub dir/b+c.png"), PICTURE);
        Files.writeString(outside.resolve("secret.png"), "secret");
        folder = new MediaFolder(Optional.of(root), LIMIT);
    }

    @AfterEach
    void onlyWhatWasReturnedIsCharged() {
        share.close();
        assertEquals(budget.total(), budget.free());
    }

    @Test
    void aFileIsNamedWholeOrFromTheFolder() {
        for (String url : List.of(
                "file://" + root + "/a.png",
                "file://localhost" + root + "/a.png",
                "FILE:" + root + "/a.png",
                "file:///a.png",
                "file://a.png",
                "file:a.png",
                "file://sub%20dir/b+c.png",
                "file://sub%20dir/b%2Bc.png",
                "file://sub%20dir/../a.png")) {
            assertArrayEquals(PICTURE, folder.read(url, "p", share), url);
        }
        assertEquals(budget.total() - 9L * PICTURE.length, budget.free());
    }

    @Test
    void nothingElseIsThere() throws IOException {
        Files.createSymbolicLink(root.resolve("link.png"), outside.resolve("secret.png"));
        Files.createSymbolicLink(root.resolve("up"), outside);
        for (String url : List.of(
                "file://../secret.png",
                "file:///../secret.png",
                "file://%2e%2e/secret.png",
                "file://..%2Fsecret.png",
                "file://" + root + "/../secret.png",
                "file://" + outside + "/secret.png",
                "file://link.png",
                "file://up/secret.png",
                "file:///etc/passwd",
                "file:///proc/self/environ",
                "file:///dev/zero",
                "file://sub%20dir",
                "file://",
                "file:",
                "file://none.png",
                "file://a.png%00",
                "file://a.png%",
                "file://a.png?x",
                "file://a.png#x",
                "file://host.example/a.png",
                "file://" + "a".repeat(10_000))) {
            ApiError error = refusal(url);
            assertEquals("400 invalid_image_url", error.status() + " " + error.code(), url);
            assertEquals("There is no such file in the folder of luq.images.media-dir", error.message());
        }
    }

    @Test
    void aLinkWithinTheFolderIsFollowed() throws IOException {
        Files.createSymbolicLink(root.resolve("link.png"), root.resolve("a.png"));
        assertArrayEquals(PICTURE, folder.read("file://link.png", "p", share));
        Path linked = Files.createSymbolicLink(outside.resolve("linked"), root);
        MediaFolder same = new MediaFolder(Optional.of(linked), LIMIT);
        assertArrayEquals(PICTURE, same.read("file://" + linked + "/a.png", "p", share));
        assertArrayEquals(PICTURE, same.read("file://" + root + "/a.png", "p", share));
    }

    @Test
    void sizesAreBounded() throws IOException {
        Files.write(root.resolve("large.png"), new byte[LIMIT + 1]);
        Files.write(root.resolve("fits.png"), new byte[LIMIT]);
        Files.write(root.resolve("empty.png"), new byte[0]);
        assertEquals("image_too_large", refusal("file://large.png").code());
        assertEquals("invalid_image", refusal("file://empty.png").code());
        try (IntakeBudget.Share others = budget.reserve("a", budget.total() - LIMIT + 1)) {
            assertEquals("queue_full", refusal("file://fits.png").code());
        }
        assertEquals(LIMIT, folder.read("file://fits.png", "p", share).length);
    }

    @Test
    void withoutAFolderThereAreNoFiles() {
        ApiError error = assertThrows(ApiException.class, () -> new MediaFolder(Optional.empty(), LIMIT)
                        .read("file://" + root + "/a.png", "p", share))
                .error();
        assertEquals("invalid_image_url", error.code());
        assertFalse(error.message().contains(root.toString()));
        assertThrows(IllegalArgumentException.class, () -> new MediaFolder(Optional.of(root.resolve("a.png")), LIMIT));
    }

    private ApiError refusal(String url) {
        return assertThrows(ApiException.class, () -> folder.read(url, "p", share), url)
                .error();
    }
}
