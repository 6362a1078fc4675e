package dev.luq.filecache;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * What decides the keys and values of a prompt beside its tokens and images: the language model, each of its files as a
 * {@link SampledFile}, what its images' embeddings come from, and how it is computed.
 *
 * @param modelFiles of the language model, in order
 * @param encoder of its images
 * @param settings whatever else changes the numbers or how they lie in memory: types of keys and values, what computes
 */
public record LanguageModelIdentity(String model, List<Path> modelFiles, EncoderIdentity encoder, List<String> settings)
        implements Producer {

    @Override
    public List<Path> files() {
        List<Path> all = new ArrayList<>(modelFiles);
        all.addAll(encoder.files());
        return all;
    }

    @Override
    public String digest() throws IOException {
        MessageDigest digest = Sha256.create();
        digest.update(encoder.digest().getBytes(UTF_8));
        for (Path file : modelFiles) {
            SampledFile.update(digest, file);
        }
        for (String setting : settings) {
            digest.update(Sha256.bytes(setting.getBytes(UTF_8)));
        }
        return Sha256.hex(digest);
    }
}
