package dev.luq.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.protocol.Sampling;
import dev.luq.protocol.ServerFrame;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SentImagesTest {

    private final SentImages images = new SentImages();

    /** @return of each image of the request, whether its pixels are written */
    private List<Boolean> pixels(String id, String... sha256) {
        ServerFrame.Generate request = new ServerFrame.Generate(
                id,
                "{}",
                Stream.of(sha256)
                        .map(image -> new ServerFrame.Image(1, 1, image, new byte[3]))
                        .toList(),
                Sampling.GREEDY,
                0,
                List.of(),
                -1,
                true);
        ServerFrame.OfRequest written = images.written(request);
        assertEquals(id, written.id());
        assertEquals(
                List.of(sha256),
                written.images().stream().map(ServerFrame.Image::sha256).toList());
        return written.images().stream().map(image -> image.rgb() != null).toList();
    }

    private List<String> forgotten(String id) {
        return images.prepared(id).stream().map(ServerFrame.ForgetImage::sha256).toList();
    }

    @Test
    void thePixelsOfAllChoicesAreWrittenOnce() {
        assertEquals(List.of(true, true), pixels("a-0", "x", "y"));
        assertEquals(List.of(false, false), pixels("a-1", "x", "y"));
        assertEquals(List.of(false, false), pixels("a-2", "x", "y"));
    }

    @Test
    void anImageThatOccursTwiceIsWrittenOnce() {
        assertEquals(List.of(true, false), pixels("a", "x", "x"));
        assertEquals(List.of("x"), forgotten("a"));
    }

    @Test
    void requestsWithOtherImagesHaveTheirOwn() {
        assertEquals(List.of(true), pixels("a", "x"));
        assertEquals(List.of(false, true), pixels("b", "x", "y"));
        assertEquals(List.of(), forgotten("a"));
        assertEquals(2, forgotten("b").size());
    }

    @Test
    void theLastRequestThatNeedsAnImageLetsTheWorkerForgetIt() {
        pixels("a-0", "x");
        pixels("a-1", "x");
        assertEquals(List.of(), forgotten("a-1"));
        assertTrue(images.isNeeded("x"));
        assertEquals(List.of("x"), forgotten("a-0"));
        assertFalse(images.isNeeded("x"));
        assertEquals(List.of(), forgotten("a-0"), "at its end, what was said when it was accepted");
        assertEquals(List.of(true), pixels("b", "x"));
    }

    /** What says so waits behind it. */
    @Test
    void anImageThatIsWrittenAgainMeanwhileIsNotForgotten() {
        pixels("a", "x");
        assertEquals(List.of("x"), forgotten("a"));
        assertEquals(List.of(true), pixels("b", "x"));
        assertTrue(images.isNeeded("x"));
    }
}
