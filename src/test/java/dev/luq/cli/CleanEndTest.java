package dev.luq.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.luq.BusyProcess;
import dev.luq.Integration;
import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Integration
class CleanEndTest {

    @TempDir
    Path folder;

    /** Writes a model, and does not get to its end. */
    static final class Export {
        public static void main(String[] arguments) throws IOException {
            GgufTensor tensor = new GgufTensor("endless", GgmlType.F32, List.of(1L << 40));
            try (CleanEnd end = new CleanEnd(Thread.currentThread()::interrupt);
                    GgufWriter writer =
                            GgufWriter.create(Path.of(arguments[0]).resolve("model.gguf"), Map.of(), List.of(tensor))) {
                writer.begin("endless");
                System.out.println('!');
                while (true) {
                    writer.write(ByteBuffer.allocate(1));
                }
            }
        }
    }

    @Test
    void aSignalLeavesNoUnfinishedModelBehind() throws IOException {
        try (BusyProcess export = BusyProcess.start(Export.class, folder.toString())) {
            assertFalse(isEmpty());
            export.end();
        }
        assertTrue(isEmpty());
    }

    private boolean isEmpty() throws IOException {
        try (var entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        }
    }
}
