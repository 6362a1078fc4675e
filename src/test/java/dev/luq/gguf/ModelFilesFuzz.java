package dev.luq.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.luq.fuzz.FuzzTarget;
import dev.luq.fuzz.Scratch;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A model of two files is refused, or whole. The first two bytes of an input are the first file's length. */
public final class ModelFilesFuzz implements FuzzTarget {

    @Override
    public String name() {
        return "model-files";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                joined(part(0, 2, "a"), part(1, 2, "b")),
                joined(part(0, 2, "a"), part(1, 2, "a")),
                joined(part(0, 3, "a"), part(1, 3, "b")),
                joined(part(0, 1, "a"), new byte[0]));
    }

    private static byte[] part(int number, int count, String tensor) {
        return GgufBytes.header(1, 4)
                .keyText("general.architecture", "llama")
                .string("split.no")
                .u32(2)
                .raw(number, 0)
                .string("split.count")
                .u32(2)
                .raw(count, 0)
                .string("split.tensors.count")
                .u32(5)
                .u32(2)
                .tensor(tensor, 0, 0, 4)
                .data(32, 16)
                .bytes();
    }

    private static byte[] joined(byte[] first, byte[] second) {
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.write(first.length >> 8);
        both.write(first.length);
        both.writeBytes(first);
        both.writeBytes(second);
        return both.toByteArray();
    }

    @Override
    public void run(byte[] input) throws IOException {
        if (input.length < 2) {
            return;
        }
        int end = Math.min(input.length, 2 + ((input[0] & 0xff) << 8 | input[1] & 0xff));
        try (Scratch scratch = new Scratch()) {
            Path first = scratch.write("m-00001-of-00002.gguf", Arrays.copyOfRange(input, 2, end));
            scratch.write("m-00002-of-00002.gguf", Arrays.copyOfRange(input, end, input.length));
            ModelFiles model = ModelFiles.read(first);
            Set<String> names = new HashSet<>();
            model.parts().forEach(part -> part.tensors().forEach(tensor -> names.add(tensor.name())));
            assertEquals(
                    names.size(),
                    model.parts().stream()
                            .mapToInt(part -> part.tensors().size())
                            .sum());
            assertEquals(model.paths().size(), model.parts().size());
        } catch (GgufException refused) {
            // as it may be
        }
    }
}
