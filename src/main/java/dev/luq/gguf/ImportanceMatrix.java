package dev.luq.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How much each column of each matrix matters: the sums of squares of the activations that it was multiplied with. The
 * file is a GGUF as llama.cpp v0.5.0's {@code llama-imatrix} writes it:
 *
 * <pre>
 * general.type         := "imatrix"
 * imatrix.datasets     := array of strings      where the samples came from
 * imatrix.chunk_count  := u32                   chunks of samples
 * imatrix.chunk_size   := u32                   tokens of a chunk
 * NAME.in_sum2         := F32 [columns, matrices]   raw sums of squares; NAME is that of the weights
 * NAME.counts          := F32 [1, matrices]     rows of activations summed; one matrix, or one for each expert
 * </pre>
 *
 * Immutable, except that the arrays of its entries are not copied.
 *
 * @param entries by the name of the weights, such as {@code blk.0.attn_q.weight}
 * @param datasets names for people
 * @param chunkCount chunks of samples
 * @param chunkSize tokens of a chunk
 */
public record ImportanceMatrix(SortedMap<String, Entry> entries, List<String> datasets, int chunkCount, int chunkSize) {

    private static final String TYPE_KEY = "general.type";
    private static final String TYPE = "imatrix";
    private static final String DATASETS_KEY = "imatrix.datasets";
    private static final String CHUNK_COUNT_KEY = "imatrix.chunk_count";
    private static final String CHUNK_SIZE_KEY = "imatrix.chunk_size";
    private static final String SUMS = ".in_sum2";
    private static final String COUNTS = ".counts";

    /**
     * What was summed for one tensor.
     *
     * @param sums of squares per column, finite and not negative, the columns of one matrix after those of the other
     * @param counts rows of activations in the sums, per matrix; a dense tensor has one
     */
    public record Entry(float[] sums, long[] counts) {

        /** @throws GgufException.Malformed when the arrays do not fit each other or hold no sums of squares */
        public Entry {
            if (counts.length == 0 || sums.length == 0 || sums.length % counts.length != 0) {
                throw new GgufException.Malformed(
                        "An importance matrix has " + sums.length + " sums for " + counts.length + " matrices.");
            }
            for (float sum : sums) {
                if (!(sum >= 0) || Float.isInfinite(sum)) {
                    throw new GgufException.Malformed("An importance matrix holds a sum of squares of " + sum + ".");
                }
            }
            for (long count : counts) {
                if (count < 0) {
                    throw new GgufException.Malformed("An importance matrix holds a count of " + count + ".");
                }
            }
        }

        /** An entry of a dense tensor. */
        public static Entry dense(float[] sums, long count) {
            return new Entry(sums, new long[] {count});
        }

        /** Mean squares per column as llama.cpp's quantize tool computes them; 1 where nothing was counted. */
        public float[] means() {
            int columns = sums.length / counts.length;
            float[] means = new float[sums.length];
            for (int i = 0; i < means.length; i++) {
                float count = counts[i / columns];
                means[i] = count > 0 ? sums[i] / count : 1;
            }
            return means;
        }
    }

    public ImportanceMatrix {
        entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
        datasets = List.copyOf(datasets);
        if (chunkCount < 0 || chunkSize < 0) {
            throw new IllegalArgumentException("chunk count and size are 0 or more");
        }
    }

    /** Mean squares per column; empty when the tensor was not seen. */
    public Optional<float[]> means(String tensor) {
        return Optional.ofNullable(entries.get(tensor)).map(Entry::means);
    }

    /**
     * Reads and checks a file.
     *
     * @throws GgufException when the file is no importance matrix of this format
     * @throws IOException when the file cannot be read; its message may name the path
     */
    public static ImportanceMatrix read(Path file) throws IOException {
        Gguf gguf = Gguf.read(file);
        if (!gguf.text(TYPE_KEY).equals(Optional.of(TYPE))) {
            throw new GgufException.Mismatch("The file is a GGUF but no importance matrix.");
        }
        SortedMap<String, Entry> entries = new TreeMap<>();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (GgufTensor tensor : gguf.tensors()) {
                if (tensor.name().endsWith(SUMS)) {
                    String name = tensor.name().substring(0, tensor.name().length() - SUMS.length());
                    entries.put(
                            name,
                            new Entry(floats(gguf, channel, name + SUMS), round(floats(gguf, channel, name + COUNTS))));
                }
            }
        }
        if (entries.isEmpty() || entries.size() * 2 != gguf.tensors().size()) {
            throw new GgufException.Malformed("The importance matrix does not have sums and counts for each tensor.");
        }
        return new ImportanceMatrix(
                entries, datasets(gguf), number(gguf, CHUNK_COUNT_KEY), number(gguf, CHUNK_SIZE_KEY));
    }

    private static float[] floats(Gguf gguf, FileChannel channel, String name) throws IOException {
        GgufTensor tensor = gguf.tensor(name)
                .orElseThrow(() -> new GgufException.Malformed("The importance matrix lacks " + name + "."));
        if (tensor.type() != GgmlType.F32 || tensor.bytes() > Integer.MAX_VALUE) {
            throw new GgufException.Malformed("Tensor " + name + " of the importance matrix is not a row of F32.");
        }
        ByteBuffer data = channel.map(FileChannel.MapMode.READ_ONLY, gguf.offset(name), tensor.bytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[(int) tensor.elements()];
        data.asFloatBuffer().get(floats);
        return floats;
    }

    private static long[] round(float[] counts) {
        long[] rounded = new long[counts.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = Math.round((double) counts[i]);
        }
        return rounded;
    }

    private static List<String> datasets(Gguf gguf) {
        List<String> datasets = new ArrayList<>();
        if (gguf.metadata().get(DATASETS_KEY) instanceof GgufValue.Array array) {
            for (GgufValue value : array.values()) {
                if (value instanceof GgufValue.Text text) {
                    datasets.add(text.value());
                }
            }
        }
        return datasets;
    }

    private static int number(Gguf gguf, String key) {
        long value = gguf.integer(key).orElse(0);
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw new GgufException.Malformed(
                    "Metadata key " + key + " has the value " + Long.toUnsignedString(value) + ".");
        }
        return (int) value;
    }

    /**
     * Writes the file; it appears when it is complete.
     *
     * @param target replaced if it exists
     */
    public void write(Path target) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put(TYPE_KEY, GgufValue.text(TYPE));
        metadata.put(DATASETS_KEY, GgufValue.Array.ofStrings(datasets));
        metadata.put(CHUNK_COUNT_KEY, GgufValue.uint32(chunkCount));
        metadata.put(CHUNK_SIZE_KEY, GgufValue.uint32(chunkSize));
        List<GgufTensor> tensors = new ArrayList<>();
        entries.forEach((name, entry) -> {
            long matrices = entry.counts().length;
            tensors.add(new GgufTensor(name + SUMS, GgmlType.F32, List.of(entry.sums().length / matrices, matrices)));
            tensors.add(new GgufTensor(name + COUNTS, GgmlType.F32, List.of(1L, matrices)));
        });
        try (GgufWriter writer = GgufWriter.create(target, metadata, tensors)) {
            for (Map.Entry<String, Entry> entry : entries.entrySet()) {
                write(writer, entry.getKey() + SUMS, entry.getValue().sums());
                float[] counts = new float[entry.getValue().counts().length];
                for (int i = 0; i < counts.length; i++) {
                    counts[i] = entry.getValue().counts()[i];
                }
                write(writer, entry.getKey() + COUNTS, counts);
            }
            writer.commit();
        }
    }

    private static void write(GgufWriter writer, String name, float[] values) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        writer.begin(name);
        writer.write(data);
    }
}
