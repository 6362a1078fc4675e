package dev.luq.requant.store;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.ModelFiles;
import dev.luq.requant.plan.TensorTypes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A split model as one file. */
final class PlainGguf {

    private static final int BUFFER_BYTES = 1 << 20;
    private static final List<String> SPLIT_KEYS = List.of("split.no", "split.count", "split.tensors.count");

    private PlainGguf() {}

    static void write(List<Path> splits, Path target) throws IOException {
        ModelFiles model = ModelFiles.of(splits);
        Map<String, GgufValue> metadata = new LinkedHashMap<>(model.first().metadata());
        metadata.keySet().removeAll(SPLIT_KEYS);
        Map<GgufTensor, Integer> partOf = new HashMap<>();
        for (int i = 0; i < splits.size(); i++) {
            for (GgufTensor tensor : model.parts().get(i).tensors()) {
                partOf.put(tensor, i);
            }
        }
        List<GgufTensor> tensors = model.parts().stream()
                .flatMap(part -> part.tensors().stream())
                .sorted(TensorTypes.MAPPED_FIRST)
                .toList();
        try (GgufWriter writer = GgufWriter.create(target, metadata, tensors)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
            for (GgufTensor tensor : tensors) {
                int part = partOf.get(tensor);
                writer.begin(tensor.name());
                try (FileChannel in = FileChannel.open(splits.get(part), StandardOpenOption.READ)) {
                    copy(in, model.parts().get(part), tensor, buffer, writer);
                }
            }
            writer.commit();
        }
    }

    private static void copy(FileChannel in, Gguf part, GgufTensor tensor, ByteBuffer buffer, GgufWriter writer)
            throws IOException {
        long end = part.offset(tensor.name()) + tensor.bytes();
        for (long at = part.offset(tensor.name()); at < end; ) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
            int read = in.read(buffer, at);
            if (read < 0) {
                throw new StoreException.Damaged("A file of the model became shorter while it was read.");
            }
            at += read;
            writer.write(buffer.flip());
        }
    }
}
