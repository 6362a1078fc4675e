package dev.luq.requant.feed;

import dev.luq.images.ImageDecoder;
import dev.luq.images.ImageException;
import dev.luq.images.ImageHeader;
import dev.luq.images.Pixels;
import dev.luq.prompt.PromptRequest.ImageInput;
import dev.luq.requant.data.Example;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An example's images, decoded and bounded in pixels as the server does it with those of requests unless it is set
 * otherwise. What they have in tokens is bounded by {@link FeedOptions#imageTokens}.
 */
final class ExampleImages {

    /** luq.images.max-source-pixels, luq.images.max-pixels and luq.images.decode-memory. */
    private static final long MAX_SOURCE_PIXELS = 40_000_000;

    private static final int MAX_PIXELS = 4_194_304;
    private static final long MAX_MEMORY = 256L << 20;

    private ExampleImages() {}

    /** @throws FeedException.Unusable an image cannot be read, is damaged or too large */
    static List<ImageInput> read(Example example) {
        List<ImageInput> images = new ArrayList<>();
        for (Path file : example.images()) {
            try {
                Pixels pixels = decode(Files.readAllBytes(file));
                images.add(new ImageInput(pixels.width(), pixels.height(), pixels.sha256(), pixels.rgb()));
            } catch (ImageException e) {
                throw new FeedException.Unusable(example, file.getFileName() + ": " + e.getMessage(), e);
            } catch (IOException e) {
                throw new FeedException.Unusable(example, file.getFileName() + " cannot be read any more", e);
            }
        }
        return images;
    }

    private static Pixels decode(byte[] data) {
        ImageDecoder decoder = new ImageDecoder(data);
        ImageHeader header = decoder.header();
        if ((long) header.width() * header.height() > MAX_SOURCE_PIXELS) {
            throw ImageException.of(
                    "the picture has " + header.width() + " x " + header.height() + " pixels, at most "
                            + MAX_SOURCE_PIXELS + " are allowed: scale it down",
                    true);
        }
        return decoder.decode(header.every(MAX_PIXELS, MAX_MEMORY)).within(MAX_PIXELS);
    }
}
