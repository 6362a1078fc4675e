package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.InvalidImage;
import dev.luq.http.errors.ApiException.InvalidImage.Fault;
import dev.luq.http.intake.IntakeBudget;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;

/** Where the bytes of a picture come from: what the URL's scheme says, as far as the configuration enables it. */
@Singleton
final class ImageSources {

    private final int maxBytes;
    private final ImageFetcher remote;
    private final MediaFolder folder;

    /** @throws IllegalArgumentException if what is configured cannot be */
    @Inject
    ImageSources(ImagesConfig config, ImageFetcher remote) {
        this.maxBytes = config.maxBytes();
        this.remote = remote;
        this.folder = new MediaFolder(config.mediaDir(), config.maxBytes());
    }

    /**
     * @param share grows by the bytes; as it was when there are none
     * @return the picture's file
     * @throws dev.luq.http.errors.ApiException if there is none, or memory is short
     */
    byte[] read(ImageReference reference, Asker asker, IntakeBudget.Share share) {
        String url = reference.url();
        if (DataUrl.is(url)) {
            DataUrl data = DataUrl.of(url, maxBytes, reference.param());
            share.grow(data.length());
            return data.decode();
        }
        if (ImageFetcher.isRemote(url)) {
            return remote.fetch(url, asker, reference.param(), share);
        }
        if (MediaFolder.isFile(url)) {
            return folder.read(url, reference.param(), share);
        }
        throw new InvalidImage(
                Fault.INVALID_IMAGE_URL, reference.param(), "Send the image as data:image/png;base64,...");
    }
}
