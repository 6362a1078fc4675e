package dev.luq.llama;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.ImportanceMatrix;
import dev.luq.preset.global.llama;
import dev.luq.preset.llama_model_imatrix_data;
import dev.luq.preset.llama_model_quantize_params;
import dev.luq.preset.llama_model_tensor_override;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** llama.cpp's own quantization of whole files, that of its {@code llama-quantize} tool. */
public final class ModelQuantizer {

    /** llama.cpp's file types: recipes that give each tensor a type. */
    public enum FileType {
        Q8_0(llama.LLAMA_FTYPE_MOSTLY_Q8_0),
        Q6_K(llama.LLAMA_FTYPE_MOSTLY_Q6_K),
        Q5_K_M(llama.LLAMA_FTYPE_MOSTLY_Q5_K_M),
        Q5_K_S(llama.LLAMA_FTYPE_MOSTLY_Q5_K_S),
        Q4_K_M(llama.LLAMA_FTYPE_MOSTLY_Q4_K_M),
        Q4_K_S(llama.LLAMA_FTYPE_MOSTLY_Q4_K_S),
        IQ4_XS(llama.LLAMA_FTYPE_MOSTLY_IQ4_XS),
        IQ3_M(llama.LLAMA_FTYPE_MOSTLY_IQ3_M),
        IQ3_S(llama.LLAMA_FTYPE_MOSTLY_IQ3_S),
        IQ3_XS(llama.LLAMA_FTYPE_MOSTLY_IQ3_XS),
        IQ3_XXS(llama.LLAMA_FTYPE_MOSTLY_IQ3_XXS),
        Q3_K_L(llama.LLAMA_FTYPE_MOSTLY_Q3_K_L),
        Q3_K_M(llama.LLAMA_FTYPE_MOSTLY_Q3_K_M),
        Q2_K(llama.LLAMA_FTYPE_MOSTLY_Q2_K),
        IQ2_M(llama.LLAMA_FTYPE_MOSTLY_IQ2_M),
        IQ2_XS(llama.LLAMA_FTYPE_MOSTLY_IQ2_XS),
        IQ2_XXS(llama.LLAMA_FTYPE_MOSTLY_IQ2_XXS),
        IQ1_M(llama.LLAMA_FTYPE_MOSTLY_IQ1_M);

        private final int number;

        FileType(int number) {
            this.number = number;
        }
    }

    /**
     * What to make.
     *
     * @param fileType the recipe
     * @param pure whether all matrices get the recipe's main type, and its exceptions are left out
     * @param overrides tensor types by regular expressions (C++ ECMAScript, searched in the name); the first that
     *     matches decides. They go before the recipe
     * @param importance importances of columns; empty for none
     * @param threads compute threads
     */
    public record Options(
            FileType fileType,
            boolean pure,
            Map<String, GgmlType> overrides,
            Optional<ImportanceMatrix> importance,
            int threads) {}

    private ModelQuantizer() {}

    /** Computes ggml's tables for a type, once per process; seconds for IQ1 to IQ3, nothing for others. */
    public static void prepare(GgmlType type) {
        llama.ggml_quantize_init(type.id());
    }

    /**
     * Quantizes a model. Cannot be interrupted.
     *
     * @param source checked by {@link dev.luq.gguf.ModelFiles} before; its first part when it is split
     * @param target replaced if it exists; incomplete when this throws
     * @throws LlamaException.Quantization when llama.cpp refuses, for instance for lack of importances, or cannot write
     */
    public static void quantize(Path source, Path target, Options options) {
        List<Pointer> owned = new ArrayList<>();
        Native.clearLoggedErrors();
        try (BytePointer in = Native.utf8(source.toAbsolutePath().toString());
                BytePointer out = Native.utf8(target.toAbsolutePath().toString());
                llama_model_quantize_params params = llama.llama_model_quantize_default_params()) {
            params.ftype(options.fileType().number)
                    .pure(options.pure())
                    .nthread(options.threads())
                    .allow_requantize(true);
            options.importance().ifPresent(importance -> params.imatrix(imatrix(importance, owned)));
            if (!options.overrides().isEmpty()) {
                params.tt_overrides(overrides(options.overrides(), owned));
            }
            if (llama.llama_model_quantize(in, out, params) != 0) {
                throw new LlamaException.Quantization("the model cannot be quantized: "
                        + Native.loggedReason("llama.cpp gave no reason", List.of(source, target)));
            }
        } finally {
            owned.forEach(Pointer::close);
        }
    }

    /** An array that ends with a null name. */
    private static llama_model_imatrix_data imatrix(ImportanceMatrix importance, List<Pointer> owned) {
        llama_model_imatrix_data array =
                new llama_model_imatrix_data(importance.entries().size() + 1L);
        owned.add(array);
        long i = 0;
        for (Map.Entry<String, ImportanceMatrix.Entry> entry :
                importance.entries().entrySet()) {
            BytePointer name = Native.utf8(entry.getKey());
            float[] means = entry.getValue().means();
            FloatPointer data = new FloatPointer(means);
            owned.addAll(List.of(name, data));
            array.getPointer(i++).name(name).data(data).size(means.length);
        }
        array.getPointer(i).name(null).data(null).size(0);
        return array;
    }

    /** An array that ends with a null pattern. */
    private static llama_model_tensor_override overrides(Map<String, GgmlType> types, List<Pointer> owned) {
        llama_model_tensor_override array = new llama_model_tensor_override(types.size() + 1L);
        owned.add(array);
        long i = 0;
        for (Map.Entry<String, GgmlType> type : types.entrySet()) {
            BytePointer pattern = Native.utf8(type.getKey());
            owned.add(pattern);
            array.getPointer(i++).pattern(pattern).type(type.getValue().id());
        }
        array.getPointer(i).pattern(null).type(llama.GGML_TYPE_COUNT);
        return array;
    }
}
