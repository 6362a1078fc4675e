package dev.luq.openai.images;

import dev.luq.http.errors.ApiException.InvalidImage;
import dev.luq.http.errors.ApiException.InvalidImage.Fault;
import dev.luq.http.intake.IntakeBudget;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The folder of {@code luq.images.media-dir}, whose pictures requests may name as {@code file:} URLs: by their whole
 * path, or relative to it. Whatever is not a regular file below it does not exist.
 */
final class MediaFolder {

    private static final String SCHEME = "file:";
    private static final int LONGEST_URL = 8192;

    private final Optional<Path> root;
    private final int maxBytes;

    /** @throws IllegalArgumentException if it is no folder */
    MediaFolder(Optional<Path> root, int maxBytes) {
        this.root = root.map(path -> path.toAbsolutePath().normalize());
        this.maxBytes = maxBytes;
        if (this.root.filter(path -> !Files.isDirectory(path)).isPresent()) {
            throw new IllegalArgumentException("luq.images.media-dir must name a folder");
        }
    }

    static boolean isFile(String url) {
        return url.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
    }

    /**
     * @param url {@code file:///below/the/folder/a.png} or {@code file://a.png}, with special characters as %XX
     * @param share grows by the bytes of the picture; as it was when there is none
     * @throws InvalidImage if there is no such picture
     * @throws dev.luq.http.errors.ApiException if there is no room for it
     */
    byte[] read(String url, String param, IntakeBudget.Share share) {
        if (root.isEmpty()) {
            throw new InvalidImage(
                    Fault.INVALID_IMAGE_URL,
                    param,
                    "file: URLs are not enabled: send the image as data:image/png;base64,..., or have the operator set"
                            + " luq.images.media-dir");
        }
        try {
            Path file = file(url, root.get());
            if (file != null) {
                return read(file, param, share);
            }
        } catch (IOException | IllegalArgumentException e) {
            // the same answer: it does not tell what lies elsewhere
        }
        throw new InvalidImage(
                Fault.INVALID_IMAGE_URL, param, "There is no such file in the folder of luq.images.media-dir");
    }

    /**
     * @return with links resolved; null when that is no regular file below the folder
     * @throws InvalidPathException if it is no path
     */
    private static Path file(String url, Path root) throws IOException {
        if (url.length() > LONGEST_URL || url.indexOf('?') >= 0 || url.indexOf('#') >= 0) {
            return null;
        }
        String name = URLDecoder.decode(
                url.substring(SCHEME.length())
                        .replaceFirst("^//(?:localhost(?=/))?", "")
                        .replace("+", "%2B"),
                StandardCharsets.UTF_8);
        Path named = Path.of(name);
        Path real = root.toRealPath();
        boolean whole = named.startsWith(root) || named.startsWith(real);
        Path file = (whole ? named : real.resolve(name.replaceFirst("^/+", ""))).toRealPath();
        return file.startsWith(real) && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? file : null;
    }

    private byte[] read(Path file, String param, IntakeBudget.Share share) throws IOException {
        long size = Files.size(file);
        if (size > maxBytes) {
            throw tooLarge(param);
        }
        share.grow(size);
        byte[] bytes = null;
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            // No further than what was charged: the file may grow.
            byte[] read = in.readNBytes((int) size);
            if (read.length < size || size == 0) {
                throw new InvalidImage(Fault.INVALID_IMAGE, param, "The image has no bytes, or was just changed");
            }
            bytes = read;
            return read;
        } finally {
            if (bytes == null) {
                share.shrink(size);
            }
        }
    }

    private InvalidImage tooLarge(String param) {
        return new InvalidImage(Fault.IMAGE_TOO_LARGE, param, "The image is larger than " + maxBytes + " bytes");
    }
}
