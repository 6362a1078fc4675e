package dev.luq.llama;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.ModelFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Looks through the weights in a model's files. */
public final class WeightScan {

    /** Rows are read in pieces of about this many bytes. */
    private static final long PIECE = 1 << 22;

    private WeightScan() {}

    /**
     * Looks for weights that are no finite numbers.
     *
     * @param files the GGUF, or its split files in order
     * @param tensors names of those that are looked through
     * @return name of the first tensor with such a weight
     * @throws IOException a file cannot be read
     */
    public static Optional<String> firstNonFinite(List<Path> files, Predicate<String> tensors) throws IOException {
        ModelFiles model = ModelFiles.of(files);
        for (int i = 0; i < model.parts().size(); i++) {
            Gguf part = model.parts().get(i);
            try (FileChannel file = FileChannel.open(model.paths().get(i), StandardOpenOption.READ)) {
                for (GgufTensor tensor : part.tensors()) {
                    if (tensors.test(tensor.name()) && !isFinite(file, part.offset(tensor.name()), tensor)) {
                        return Optional.of(tensor.name());
                    }
                }
            }
        }
        return Optional.empty();
    }

    private static boolean isFinite(FileChannel file, long offset, GgufTensor tensor) throws IOException {
        long blockBytes = tensor.type().blockBytes();
        ByteBuffer piece = ByteBuffer.allocateDirect((int) Math.min(tensor.bytes(), PIECE / blockBytes * blockBytes))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (long done = 0; done < tensor.bytes(); ) {
            piece.clear().limit((int) Math.min(piece.capacity(), tensor.bytes() - done));
            while (piece.hasRemaining()) {
                if (file.read(piece, offset + done + piece.position()) < 0) {
                    throw new IOException("the file of tensor " + tensor.name() + " became shorter");
                }
            }
            piece.flip();
            if (!Quantizer.isValid(tensor.type(), piece)) {
                return false;
            }
            done += piece.limit();
        }
        return true;
    }
}
