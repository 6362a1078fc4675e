package dev.luq.worker;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.filecache.SampledFile;
import dev.luq.files.Sha256;
import dev.luq.protocol.ServerFrame;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;

/**
 * What decides a model's answers beside the requests, as one short text: its files and projector, each as a
 * {@link SampledFile}, and the settings that change more than the rounding of numbers. Threads, slots, steps and the
 * processor do not count.
 */
final class ServedIdentity {

    private static final int DIGITS = 32;

    private ServedIdentity() {}

    /**
     * Of a model that is about to be loaded.
     *
     * @param modelFiles all of the language model's, in order
     * @param arithmetic of the native code: {@link dev.luq.llama.Llama#arithmetic}
     * @return hexadecimal digits
     * @throws IOException a file cannot be read
     */
    static String of(ServerFrame.Load load, List<Path> modelFiles, String arithmetic) throws IOException {
        MessageDigest digest = Sha256.create();
        for (Path file : modelFiles) {
            SampledFile.update(digest, file);
        }
        if (load.mmproj() != null) {
            SampledFile.update(digest, Path.of(load.mmproj()));
        }
        // A model's own chat template is part of its file.
        for (String setting : List.of(
                "files " + modelFiles.size(),
                "arithmetic " + arithmetic,
                "kernels " + load.kernels().configName(),
                "kv " + load.kv(),
                "image-max-tokens " + load.imageMaxTokens(),
                "context-size " + load.contextSize(),
                "slot-context-size " + load.slotContextSize(),
                "pooling " + load.pooling(),
                load.chatTemplate() == null ? "own template" : "template " + load.chatTemplate())) {
            digest.update(Sha256.bytes(setting.getBytes(UTF_8)));
        }
        return Sha256.hex(digest).substring(0, DIGITS);
    }
}
