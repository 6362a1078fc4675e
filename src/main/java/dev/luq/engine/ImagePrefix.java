package dev.luq.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.files.Sha256;
import dev.luq.prompt.Prompt;
import dev.luq.prompt.PromptUnit;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * The beginning of a prompt up to and with one of its images.
 *
 * @param units of the prompt
 * @param cells of these
 * @param name the same for equal prefixes of equal salt, in every process, and for no others
 */
record ImagePrefix(int units, int cells, String name) {

    private static final byte SALT = 0;
    private static final byte TEXT = 1;
    private static final byte IMAGE = 2;

    /** Those of a prompt, the shortest first. */
    static List<ImagePrefix> of(Prompt prompt) {
        List<ImagePrefix> prefixes = new ArrayList<>();
        MessageDigest digest = Sha256.create();
        if (prompt.salt() != null) {
            update(digest, SALT, prompt.salt());
        }
        int cells = 0;
        int last = prompt.unitsWithImages();
        for (int i = 0; i < last; i++) {
            PromptUnit unit = prompt.units().get(i);
            cells += unit.cells();
            if (unit instanceof PromptUnit.Text text) {
                digest.update(TEXT);
                digest.update(
                        ByteBuffer.allocate(Integer.BYTES).putInt(text.token()).flip());
            } else if (unit instanceof PromptUnit.Image image) {
                update(digest, IMAGE, image.id());
                digest.update(ByteBuffer.allocate(2 * Integer.BYTES)
                        .putInt(image.cells())
                        .putInt(image.positions())
                        .flip());
                prefixes.add(new ImagePrefix(i + 1, cells, Sha256.hexSoFar(digest)));
            }
        }
        return prefixes;
    }

    private static void update(MessageDigest digest, byte kind, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        digest.update(kind);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        digest.update(bytes);
    }
}
