package dev.luq.openai.images;

import dev.luq.images.ImageDecoder;
import dev.luq.images.ImageException;
import dev.luq.images.ImageFormat;
import dev.luq.images.Pixels;
import dev.luq.machine.Processors;
import dev.luq.openai.errors.ApiException.InvalidImage;
import dev.luq.openai.errors.ApiException.InvalidImage.Fault;
import dev.luq.openai.errors.ApiException.InvalidRequest;
import dev.luq.openai.intake.IntakeBudget;
import dev.luq.worker.protocol.ServerFrame;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * Decodes the images of requests within bounds of bytes, pixels and memory. Blocks while it decodes, and while as many
 * others decode as may. Thread-safe.
 */
@Singleton
public final class ImageIntake {

    /** The largest ratio of two sides that Qwen-VL's preprocessing accepts (smart_resize of Hugging Face). */
    private static final int LARGEST_ASPECT_RATIO = 200;
    /** Reading leaves this many source pixels for each one that is kept, so that averaging has something to average. */
    private static final int SOURCE_PIXELS_PER_PIXEL = 4;
    /** While an image is decoded it exists as the reader's raster, as RGB, turned and scaled. */
    private static final int BYTES_PER_DECODED_PIXEL = 12;

    private final ImagesConfig config;
    private final Semaphore decodes;
    private final long decodedPixels;

    @Inject
    public ImageIntake(ImagesConfig config, IntakeBudget budget) {
        this.config = config;
        int concurrent = config.concurrentDecodes();
        decodes = new Semaphore(Processors.threads(concurrent), true);
        decodedPixels = Math.max(1, Math.min((long) SOURCE_PIXELS_PER_PIXEL * config.maxPixels(),
                budget.total() / 2 / BYTES_PER_DECODED_PIXEL));
    }

    /**
     * @param share grows by the bytes of the pixels returned
     * @return in the order of the references
     * @throws dev.luq.openai.errors.ApiException if an image cannot be used, or memory is short
     */
    public List<ServerFrame.Image> decode(List<ImageReference> references, IntakeBudget.Share share) {
        if (references.size() > config.maxPerRequest()) {
            throw new InvalidRequest("messages", "There are " + references.size() + " images in this request, at most "
                    + config.maxPerRequest() + " are allowed");
        }
        List<ServerFrame.Image> images = new ArrayList<>(references.size());
        for (ImageReference reference : references) {
            images.add(decode(reference, share));
        }
        return images;
    }

    private ServerFrame.Image decode(ImageReference reference, IntakeBudget.Share share) {
        byte[] data = DataUrl.decode(reference.url(), config.maxBytes(), reference.param());
        ImageFormat format = ImageFormat.of(data).orElseThrow(() -> new InvalidImage(Fault.INVALID_IMAGE,
                reference.param(), ImageFormat.isMarkup(data)
                        ? "SVG is not supported: send PNG, JPEG, WEBP or GIF"
                        : "The data is no PNG, JPEG, WEBP or GIF image"));
        decodes.acquireUninterruptibly();
        try (ImageDecoder decoder = new ImageDecoder(format, data)) {
            checkDimensions(decoder.width(), decoder.height(), reference.param());
            Pixels pixels = decode(decoder, reference.detail(), share);
            return new ServerFrame.Image(pixels.width(), pixels.height(), pixels.sha256(), pixels.rgb());
        } catch (ImageException e) {
            throw new InvalidImage(Fault.INVALID_IMAGE, reference.param(), e.getMessage());
        } finally {
            decodes.release();
        }
    }

    private Pixels decode(ImageDecoder decoder, Detail detail, IntakeBudget.Share share) {
        int every = 1;
        while (count(decoder, every) > decodedPixels) {
            every++;
        }
        long working = count(decoder, every) * BYTES_PER_DECODED_PIXEL;
        share.grow(working);
        Pixels pixels;
        try {
            pixels = decoder.decode(every).within(detail == Detail.LOW
                    ? Math.min(config.lowDetailPixels(), config.maxPixels())
                    : config.maxPixels());
        } finally {
            share.shrink(working);
        }
        share.grow(pixels.rgb().length);
        return pixels;
    }

    private static long count(ImageDecoder decoder, int every) {
        return ((long) decoder.width() + every - 1) / every * ((decoder.height() + every - 1) / every);
    }

    private void checkDimensions(int width, int height, String param) {
        if ((long) width * height > config.maxSourcePixels()) {
            throw new InvalidImage(Fault.IMAGE_TOO_LARGE, param, "The image has " + width + " x " + height
                    + " pixels, at most " + config.maxSourcePixels() + " are allowed");
        }
        if (Math.max(width, height) > LARGEST_ASPECT_RATIO * (long) Math.min(width, height)) {
            throw new InvalidImage(Fault.INVALID_IMAGE, param, "The image has " + width + " x " + height
                    + " pixels: one side is more than " + LARGEST_ASPECT_RATIO + " times the other");
        }
    }
}
