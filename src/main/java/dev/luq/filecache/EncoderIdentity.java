package dev.luq.filecache;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;

/** What decides an image's embeddings beside its pixels. Thread-safe. */
public final class EncoderIdentity implements Producer {

    private final String model;
    private final Path mmproj;
    private final List<String> settings;
    private String digest;

    /**
     * @param model id of a model that uses the encoder
     * @param mmproj its projector's file, which counts by its content
     * @param settings whatever else changes the numbers: bounds of an image's size, what computes
     */
    public EncoderIdentity(String model, Path mmproj, List<String> settings) {
        this.model = model;
        this.mmproj = mmproj;
        this.settings = List.copyOf(settings);
    }

    @Override
    public String model() {
        return model;
    }

    @Override
    public List<Path> files() {
        return List.of(mmproj);
    }

    /** Reads all of the projector, once. */
    @Override
    public synchronized String digest() throws IOException {
        if (digest == null) {
            MessageDigest sum = Sha256.create();
            sum.update(Sha256.bytes(mmproj));
            for (String setting : settings) {
                sum.update(Sha256.bytes(setting.getBytes(UTF_8)));
            }
            digest = Sha256.hex(sum);
        }
        return digest;
    }
}
