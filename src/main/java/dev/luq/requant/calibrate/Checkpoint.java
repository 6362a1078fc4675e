package dev.luq.requant.calibrate;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufException;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import dev.luq.requant.feed.Modality;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * How far a pass is and what it summed, as a GGUF:
 *
 * <pre>
 * general.type                   := "luq.calibration"
 * luq.calibration.key            := string             identity of model, set and options
 * luq.calibration.set            := string             digest of the set
 * luq.calibration.examples       := array of strings   ids of the examples drawn, in the order in which they are fed
 * luq.calibration.done           := u32                of these, how many are done
 * luq.calibration.skipped        := array of strings   ids of those done that did not fit
 * luq.calibration.layers, .width := u32                of the model
 * luq.calibration.tokens.text, .tokens.image   := u64
 * WEIGHT.text, WEIGHT.image      := F64 [columns, 2]   sums of squares of the matrix's inputs, plain and bounded
 * samples.text, samples.image    := I32 [2, slots]     of each sampled vector: example in the order fed, token in it
 * </pre>
 *
 * @param samples per modality pairs of example and token, slot after slot
 */
record Checkpoint(
        String key,
        String set,
        List<String> examples,
        int done,
        List<String> skipped,
        int layers,
        int width,
        Map<Modality, Long> tokens,
        InputSquares squares,
        Map<Modality, int[]> samples) {

    private static final String FILE = "calibration.gguf";
    private static final String TYPE = "luq.calibration";
    private static final String SAMPLES = "samples.";

    boolean complete() {
        return done == examples.size();
    }

    /**
     * @return empty when the folder holds none.
     * @throws CalibrationException.Damaged it is not what was written
     */
    static Optional<Checkpoint> read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            Gguf gguf = Gguf.read(file);
            if (!gguf.text("general.type").equals(Optional.of(TYPE))) {
                throw new GgufException.Mismatch("The file is no calibration.");
            }
            InputSquares squares = new InputSquares();
            Map<Modality, int[]> samples = new EnumMap<>(Modality.class);
            Map<Modality, Long> tokens = new EnumMap<>(Modality.class);
            for (Modality modality : Modality.values()) {
                String name = name(modality);
                tokens.put(modality, number(gguf, "tokens." + name));
                samples.put(modality, new int[0]);
                for (GgufTensor tensor : gguf.tensors()) {
                    if (tensor.name().endsWith("." + name)) {
                        String owner = tensor.name().substring(0, tensor.name().length() - name.length() - 1);
                        ByteBuffer data = channel.map(
                                        FileChannel.MapMode.READ_ONLY, gguf.offset(tensor.name()), tensor.bytes())
                                .order(ByteOrder.LITTLE_ENDIAN);
                        if (tensor.name().startsWith(SAMPLES)) {
                            samples.put(modality, new int[(int) tensor.elements()]);
                            data.asIntBuffer().get(samples.get(modality));
                        } else {
                            InputSquares.Sums sums = new InputSquares.Sums((int) tensor.extent(0));
                            data.asDoubleBuffer().get(sums.plain()).get(sums.bounded());
                            squares.put(owner, modality, sums);
                        }
                    }
                }
            }
            return Optional.of(new Checkpoint(
                    gguf.text(TYPE + ".key").orElse(""),
                    gguf.text(TYPE + ".set").orElse(""),
                    texts(gguf, "examples"),
                    (int) number(gguf, "done"),
                    texts(gguf, "skipped"),
                    (int) number(gguf, "layers"),
                    (int) number(gguf, "width"),
                    tokens,
                    squares,
                    samples));
        } catch (GgufException e) {
            throw new CalibrationException.Damaged(
                    "The calibration's state is damaged; delete it and calibrate again. " + e.getMessage(), e);
        }
    }

    /** Replaces the folder's checkpoint; durable when it returns. */
    void write(Path folder) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.type", GgufValue.text(TYPE));
        metadata.put(TYPE + ".key", GgufValue.text(key));
        metadata.put(TYPE + ".set", GgufValue.text(set));
        metadata.put(TYPE + ".examples", GgufValue.Array.ofStrings(examples));
        metadata.put(TYPE + ".done", GgufValue.uint32(done));
        metadata.put(TYPE + ".skipped", GgufValue.Array.ofStrings(skipped));
        metadata.put(TYPE + ".layers", GgufValue.uint32(layers));
        metadata.put(TYPE + ".width", GgufValue.uint32(width));
        for (Modality modality : Modality.values()) {
            metadata.put(
                    TYPE + ".tokens." + name(modality), new GgufValue.Int(GgufValueType.UINT64, tokens.get(modality)));
        }
        List<GgufTensor> tensors = new ArrayList<>();
        List<ByteBuffer> data = new ArrayList<>();
        squares.sums()
                .forEach((weight, byModality) -> byModality.forEach((modality, sums) -> {
                    int columns = sums.plain().length;
                    tensors.add(
                            new GgufTensor(weight + "." + name(modality), GgmlType.F64, List.of((long) columns, 2L)));
                    ByteBuffer bytes = buffer(2 * columns * Double.BYTES);
                    bytes.asDoubleBuffer().put(sums.plain()).put(sums.bounded());
                    data.add(bytes);
                }));
        samples.forEach((modality, pairs) -> {
            if (pairs.length > 0) {
                tensors.add(new GgufTensor(SAMPLES + name(modality), GgmlType.I32, List.of(2L, pairs.length / 2L)));
                ByteBuffer bytes = buffer(pairs.length * Integer.BYTES);
                bytes.asIntBuffer().put(pairs);
                data.add(bytes);
            }
        });
        try (GgufWriter writer = GgufWriter.create(folder.resolve(FILE), metadata, tensors)) {
            for (int i = 0; i < tensors.size(); i++) {
                writer.begin(tensors.get(i).name());
                writer.write(data.get(i));
            }
            writer.commit();
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String name(Modality modality) {
        return modality.name().toLowerCase(Locale.ROOT);
    }

    private static long number(Gguf gguf, String key) {
        return gguf.integer(TYPE + "." + key).orElseThrow(() -> new GgufException.Malformed(key + " is missing."));
    }

    private static List<String> texts(Gguf gguf, String key) {
        List<String> texts = new ArrayList<>();
        if (gguf.metadata().get(TYPE + "." + key) instanceof GgufValue.Array array) {
            array.values().forEach(value -> texts.add(((GgufValue.Text) value).value()));
        }
        return texts;
    }
}
