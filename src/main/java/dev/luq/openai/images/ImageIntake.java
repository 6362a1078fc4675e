package dev.luq.openai.images;

import dev.luq.catalog.Catalog;
import dev.luq.decoder.DecoderException;
import dev.luq.decoder.DecoderPool;
import dev.luq.http.errors.ApiError;
import dev.luq.http.errors.ApiException;
import dev.luq.http.errors.ApiException.Busy;
import dev.luq.http.errors.ApiException.ClientGone;
import dev.luq.http.errors.ApiException.InvalidImage;
import dev.luq.http.errors.ApiException.InvalidImage.Fault;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.Refused;
import dev.luq.http.intake.IntakeBudget;
import dev.luq.images.ImageException;
import dev.luq.images.ImageHeader;
import dev.luq.images.Pixels;
import dev.luq.protocol.ServerFrame;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;

/**
 * Decodes the images of requests within bounds of bytes, pixels, memory and time: what the file's structure says is
 * judged first, decoders see nothing else. Blocks while it waits for a picture or a decoder, and while that works.
 * Thread-safe.
 */
@Singleton
public final class ImageIntake {

    /** The largest ratio of two sides that Qwen-VL's preprocessing accepts (smart_resize of Hugging Face). */
    private static final int LARGEST_ASPECT_RATIO = 200;

    private static final int BYTES_PER_PIXEL = 3;
    private static final int RETRY_SECONDS = 2;

    private final ImagesConfig config;
    private final DecoderPool decoders;
    private final ImageSources sources;

    @Inject
    ImageIntake(ImagesConfig config, DecoderPool decoders, ImageSources sources) {
        this.config = config;
        this.decoders = decoders;
        this.sources = sources;
    }

    /** A model that understands images gets some soon. */
    void prepare(@Observes StartupEvent event, Catalog catalog) {
        if (catalog.entries().stream()
                .anyMatch(entry -> !entry.unloaded() && entry.mmproj().isPresent())) {
            decoders.prepare();
        }
    }

    /**
     * @param share grows by the bytes of the pixels returned; as it was when there are none
     * @return in the order of the references
     * @throws ApiException if an image cannot be used, memory is short, or nobody is there any more for whom to decode it
     */
    public List<ServerFrame.Image> decode(List<ImageReference> references, Asker asker, IntakeBudget.Share share) {
        if (references.size() > config.maxPerRequest()) {
            throw new InvalidRequest(
                    "messages",
                    "There are " + references.size() + " images in this request, at most " + config.maxPerRequest()
                            + " are allowed");
        }
        List<ServerFrame.Image> images = new ArrayList<>(references.size());
        boolean complete = false;
        try {
            for (ImageReference reference : references) {
                images.add(decode(reference, asker, share));
            }
            complete = true;
            return images;
        } finally {
            if (!complete) {
                images.forEach(image -> share.shrink(image.rgb().length));
            }
        }
    }

    private ServerFrame.Image decode(ImageReference reference, Asker asker, IntakeBudget.Share share) {
        asker.requirePresence();
        byte[] data = sources.read(reference, asker, share);
        try {
            asker.requirePresence();
            Pixels pixels = decode(data, reference, asker, share);
            return new ServerFrame.Image(pixels.width(), pixels.height(), pixels.sha256(), pixels.rgb());
        } catch (ImageException e) {
            throw new InvalidImage(
                    e.isTooLarge() ? Fault.IMAGE_TOO_LARGE : Fault.INVALID_IMAGE, reference.param(), e.getMessage());
        } catch (DecoderException e) {
            throw refusal(e, reference.param());
        } finally {
            share.shrink(data.length);
        }
    }

    private Pixels decode(byte[] data, ImageReference reference, Asker asker, IntakeBudget.Share share) {
        ImageHeader header = ImageHeader.read(data);
        checkDimensions(header.width(), header.height(), reference.param());
        int maxPixels = reference.detail() == Detail.LOW
                ? Math.min(config.lowDetailPixels(), config.maxPixels())
                : config.maxPixels();
        int every = header.every(maxPixels, decoders.memory());
        long reserved = BYTES_PER_PIXEL * Math.min(header.pixels(every), maxPixels);
        share.grow(reserved);
        long used = 0;
        try {
            Pixels pixels = decoders.decode(header, data, every, maxPixels, asker.client(), asker.gone());
            used = pixels.rgb().length;
            return pixels;
        } finally {
            share.shrink(reserved - used);
        }
    }

    private static ApiException refusal(DecoderException e, String param) {
        return switch (e.reason()) {
            case TIME, MEMORY, CRASH -> new InvalidImage(Fault.INVALID_IMAGE, param, e.getMessage());
            case GONE -> new ClientGone();
            case BUSY -> new Busy(e.getMessage());
            case START -> new Refused(ApiError.retryable(503, "worker_restarting", e.getMessage(), RETRY_SECONDS));
        };
    }

    private void checkDimensions(int width, int height, String param) {
        if ((long) width * height > config.maxSourcePixels()) {
            throw new InvalidImage(
                    Fault.IMAGE_TOO_LARGE,
                    param,
                    "The image has " + width + " x " + height + " pixels, at most " + config.maxSourcePixels()
                            + " are allowed");
        }
        if (Math.max(width, height) > LARGEST_ASPECT_RATIO * (long) Math.min(width, height)) {
            throw new InvalidImage(
                    Fault.INVALID_IMAGE,
                    param,
                    "The image has " + width + " x " + height + " pixels: one side is more than " + LARGEST_ASPECT_RATIO
                            + " times the other");
        }
    }
}
