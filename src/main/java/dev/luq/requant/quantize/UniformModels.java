package dev.luq.requant.quantize;

import dev.luq.files.AtomicFiles;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.gguf.ModelFiles;
import dev.luq.llama.LlamaException;
import dev.luq.llama.ModelQuantizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Models of one file type as llama.cpp's own tool makes them: what LUQ is compared with. */
public final class UniformModels {

    private UniformModels() {}

    /**
     * Writes a uniform model unless it is there. The native code cannot be interrupted; ending the process is safe.
     *
     * @param base read and checked before: native code trusts the file
     * @param target appears when it is complete; a file there is taken for the result
     * @param importance of the base model's columns; low file types are refused without it
     * @return bytes of the model's tensors
     * @throws QuantizeException.UnsuitableSource when llama.cpp refuses
     */
    public static long quantize(
            ModelFiles base,
            ModelQuantizer.FileType fileType,
            Optional<ImportanceMatrix> importance,
            int threads,
            Path target)
            throws IOException {
        if (!Files.exists(target)) {
            Path unfinished = target.resolveSibling("." + target.getFileName() + ".tmp");
            try {
                ModelQuantizer.quantize(
                        base.paths().get(0),
                        unfinished,
                        new ModelQuantizer.Options(fileType, false, Map.of(), importance, threads));
                AtomicFiles.commit(target, unfinished);
            } catch (LlamaException.Quantization e) {
                throw new QuantizeException.UnsuitableSource(
                        "A " + fileType + " model for comparison could not be made: " + e.getMessage() + ".");
            } finally {
                Files.deleteIfExists(unfinished);
            }
        }
        return ModelFiles.of(List.of(target)).tensorBytes();
    }
}
