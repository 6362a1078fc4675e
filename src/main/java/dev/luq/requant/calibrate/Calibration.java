package dev.luq.requant.calibrate;

import dev.luq.files.Sha256;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.requant.feed.Modality;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** What a complete pass found: sampled token vectors and the importance of every matrix's columns. Thread-safe. */
public final class Calibration {

    private final Path folder;
    private final Checkpoint checkpoint;

    private Calibration(Path folder, Checkpoint checkpoint) {
        this.folder = folder;
        this.checkpoint = checkpoint;
    }

    /**
     * Reads the folder of a pass.
     *
     * @throws CalibrationException.Damaged the pass is not complete or its state is damaged
     */
    public static Calibration read(Path folder) throws IOException {
        return new Calibration(
                folder,
                Checkpoint.read(folder)
                        .filter(Checkpoint::complete)
                        .orElseThrow(() -> new CalibrationException.Damaged(
                                "The calibration is not complete; run it again.", null)));
    }

    /** Layers of the model. */
    public int layers() {
        return checkpoint.layers();
    }

    /** Floats of a vector. */
    public int width() {
        return checkpoint.width();
    }

    /** Tokens that the model read. */
    public long tokens(Modality modality) {
        return checkpoint.tokens().get(modality);
    }

    /** Digest of the calibration set. */
    public String set() {
        return checkpoint.set();
    }

    /** Ids of the examples, in the order in which they were fed; those skipped are among them. */
    public List<String> examples() {
        return checkpoint.examples();
    }

    /** Ids of the examples that were too long for the context. */
    public List<String> skipped() {
        return checkpoint.skipped();
    }

    /** Number of sampled vectors of this modality, the same ones in every layer. */
    public int samples(Modality modality) {
        return checkpoint.samples().get(modality).length / 2;
    }

    /** SHA-256, lower-case hexadecimal, of which tokens of which examples were sampled. */
    public String samplesDigest() {
        MessageDigest digest = Sha256.create();
        digest.update((checkpoint.set() + String.join("\n", checkpoint.examples())).getBytes(StandardCharsets.UTF_8));
        for (Modality modality : Modality.values()) {
            int[] pairs = checkpoint.samples().get(modality);
            ByteBuffer bytes = ByteBuffer.allocate(pairs.length * Integer.BYTES);
            bytes.asIntBuffer().put(pairs);
            digest.update(bytes);
        }
        return Sha256.hex(digest);
    }

    /**
     * The sampled vectors of a layer.
     *
     * @return {@code samples x width} floats of a mapped file, read-only
     * @throws CalibrationException.Damaged they were not collected, or the file is gone
     */
    public FloatBuffer vectors(Activation activation, Modality modality, int layer) throws IOException {
        Path file = VectorFiles.file(folder, activation, modality, layer);
        long bytes = (long) samples(modality) * width() * Float.BYTES;
        if (bytes == 0) {
            return FloatBuffer.allocate(0);
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() != bytes) {
                throw new CalibrationException.Damaged(
                        "The calibration's vectors are damaged; delete it and calibrate" + " again.", null);
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer();
        } catch (NoSuchFileException e) {
            throw new CalibrationException.Damaged(
                    "The calibration has no vectors of this kind; delete it and calibrate" + " again.", e);
        }
    }

    /** Importances from the tokens of one modality alone; without entries when there were none. */
    public ImportanceMatrix importance(Modality modality) {
        return importance(modality == Modality.IMAGE ? 1 : 0, false, InputSquares.Sums::plain);
    }

    /**
     * Importances from both modalities. With the mean square of a column over all image tokens {@code I} and over all
     * text tokens {@code T}, its importance is {@code alpha I + (1 - alpha) T}, whatever the numbers of tokens. Where
     * one modality is absent from the set, the other counts alone.
     *
     * @param alpha 0 to 1
     */
    public ImportanceMatrix importance(double alpha) {
        return importance(alpha, true, InputSquares.Sums::plain);
    }

    /**
     * The same, but of squares in which no token counts much more than another one of its batch: what errors are weighted
     * by when plans are compared. Blocks are made with {@link #importance(double)}, since what a few tokens with massive
     * activations are multiplied with has to be met where a matrix has few bits.
     *
     * @param alpha 0 to 1
     */
    public ImportanceMatrix boundedImportance(double alpha) {
        return importance(alpha, true, InputSquares.Sums::bounded);
    }

    private ImportanceMatrix importance(
            double alpha, boolean orElseTheOther, Function<InputSquares.Sums, double[]> kind) {
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new IllegalArgumentException("alpha is between 0 and 1, not " + alpha);
        }
        long images = tokens(Modality.IMAGE);
        long texts = tokens(Modality.TEXT);
        double imageShare = orElseTheOther && texts == 0 ? 1 : orElseTheOther && images == 0 ? 0 : alpha;
        // What the file holds are sums, which its readers divide by the count.
        long count = (imageShare > 0 ? images : 0) + (imageShare < 1 ? texts : 0);
        SortedMap<String, ImportanceMatrix.Entry> entries = new TreeMap<>();
        if (count > 0) {
            checkpoint
                    .squares()
                    .sums()
                    .forEach((weight, sums) -> entries.put(
                            weight,
                            ImportanceMatrix.Entry.dense(
                                    weighted(sums, kind, imageShare * count / images, (1 - imageShare) * count / texts),
                                    count)));
        }
        int fed = checkpoint.examples().size() - checkpoint.skipped().size();
        return new ImportanceMatrix(
                entries, List.of("sha256:" + checkpoint.set()), fed, (int) ((images + texts) / Math.max(1, fed)));
    }

    private static float[] weighted(
            Map<Modality, InputSquares.Sums> sums,
            Function<InputSquares.Sums, double[]> kind,
            double image,
            double text) {
        double[] images = sums.containsKey(Modality.IMAGE) ? kind.apply(sums.get(Modality.IMAGE)) : null;
        double[] texts = sums.containsKey(Modality.TEXT) ? kind.apply(sums.get(Modality.TEXT)) : null;
        float[] weighted = new float[(images != null ? images : texts).length];
        for (int i = 0; i < weighted.length; i++) {
            weighted[i] = (float) ((images == null ? 0 : image * images[i]) + (texts == null ? 0 : text * texts[i]));
        }
        return weighted;
    }
}
