package dev.luq.luq.feed;

import dev.luq.engine.GenerationRequest.ImageInput;
import dev.luq.images.ImageDecoder;
import dev.luq.images.ImageException;
import dev.luq.images.ImageFormat;
import dev.luq.images.Pixels;
import dev.luq.luq.data.Example;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An example's pictures, decoded and bounded in pixels as the server does it with those of requests unless it is set
 * otherwise. What they have in tokens is bounded by {@link FeedOptions#imageTokens}.
 */
final class Pictures {

    /** luq.images.max-source-pixels and luq.images.max-pixels. */
    private static final long MAX_SOURCE_PIXELS = 40_000_000;
    private static final int MAX_PIXELS = 4_194_304;
    /** Reading leaves this many source pixels for each one that is kept, so that averaging has something to average. */
    private static final long SOURCE_PIXELS_PER_PIXEL = 4;

    private Pictures() {
    }

    /** @throws FeedException.Unusable a picture cannot be read, is damaged or too large */
    static List<ImageInput> read(Example example) {
        List<ImageInput> images = new ArrayList<>();
        for (Path file : example.images()) {
            try {
                Pixels pixels = decode(Files.readAllBytes(file), example);
                images.add(new ImageInput(pixels.width(), pixels.height(), pixels.sha256(), pixels.rgb()));
            } catch (ImageException e) {
                throw new FeedException.Unusable(example, file.getFileName() + ": " + e.getMessage(), e);
            } catch (IOException e) {
                throw new FeedException.Unusable(example, file.getFileName() + " cannot be read any more", e);
            }
        }
        return images;
    }

    private static Pixels decode(byte[] data, Example example) {
        ImageFormat format = ImageFormat.of(data).orElseThrow(
                () -> new FeedException.Unusable(example, "the picture is no PNG, JPEG or WEBP", null));
        try (ImageDecoder decoder = new ImageDecoder(format, data)) {
            if ((long) decoder.width() * decoder.height() > MAX_SOURCE_PIXELS) {
                throw new FeedException.Unusable(example, "the picture has " + decoder.width() + " x " + decoder.height()
                        + " pixels, at most " + MAX_SOURCE_PIXELS + " are allowed; scale it down.", null);
            }
            int every = 1;
            while (((long) decoder.width() + every - 1) / every * ((decoder.height() + every - 1) / every)
                    > SOURCE_PIXELS_PER_PIXEL * MAX_PIXELS) {
                every++;
            }
            return decoder.decode(every).within(MAX_PIXELS);
        }
    }
}
