package dev.luq.embeddings;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;

/**
 * What decides an image's embeddings beside its pixels.
 *
 * @param model id of a model that uses the encoder
 * @param mmproj its projector's file, which counts by its content
 * @param settings whatever else changes the numbers: bounds of an image's size, what computes
 */
public record EncoderIdentity(String model, Path mmproj, List<String> settings) {

    /**
     * Reads all of the projector.
     *
     * @return SHA-256, hexadecimal, of the projector's and the settings
     */
    String digest() throws IOException {
        MessageDigest digest = Sha256.create();
        digest.update(Sha256.bytes(mmproj));
        for (String setting : settings) {
            digest.update(Sha256.bytes(setting.getBytes(UTF_8)));
        }
        return Sha256.hex(digest);
    }
}
