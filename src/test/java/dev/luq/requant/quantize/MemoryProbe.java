package dev.luq.requant.quantize;

import dev.luq.llama.Context;
import dev.luq.llama.ContextOptions;
import dev.luq.llama.Llama;
import dev.luq.llama.Model;
import dev.luq.llama.TokenBatch;
import dev.luq.machine.KvType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A process that holds a model as a worker does, and prints the resident bytes that it took. */
public final class MemoryProbe {

    private MemoryProbe() {}

    /** @param args context size, batch size, slots, then the model's files */
    public static void main(String[] args) throws IOException {
        int contextSize = Integer.parseInt(args[0]);
        int batchSize = Integer.parseInt(args[1]);
        int slots = Integer.parseInt(args[2]);
        List<Path> files = Arrays.stream(args).skip(3).map(Path::of).toList();
        Llama.init(line -> System.err.println(line.text()));
        long before = resident();
        try (Model model = Model.load(files);
                Context context =
                        Context.create(model, new ContextOptions(contextSize, batchSize, slots, 2, KvType.F16, true));
                TokenBatch batch = TokenBatch.create(batchSize)) {
            for (int start = 0; start + batchSize <= contextSize; start += batchSize) {
                batch.clear();
                for (int i = 0; i < batchSize; i++) {
                    batch.add(i % 256, start + i, 0, i >= batchSize - slots);
                }
                context.decode(batch);
            }
            System.out.println(resident() - before);
        }
    }

    private static long resident() throws IOException {
        String line = Files.readAllLines(Path.of("/proc/self/smaps_rollup")).stream()
                .filter(l -> l.startsWith("Rss:"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("\\D+", "")) * 1024;
    }
}
