package dev.luq.preset.presets;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * How JavaCPP reads the C headers of ggml, llama, mtmd and our shim. Structs become classes of {@code dev.luq.preset},
 * functions and constants static members of {@code dev.luq.preset.global.llama}; enums are ints.
 * <p>
 * The libraries lie in the jar under their sonames. {@code ggml-cpu} is absent from the variant that carries one CPU
 * backend per instruction set; those backends are loaded by ggml itself.
 */
@Properties(
        value = @Platform(
                value = "linux",
                include = {"ggml.h", "ggml-alloc.h", "ggml-backend.h", "ggml-cpu.h", "gguf.h", "llama.h", "mtmd.h",
                        "mtmd-helper.h", "luq_shim.h"},
                preload = {"ggml-base@.0", "ggml-cpu@.0", "ggml@.0", "llama@.0", "mtmd@.0", "llama-common@.0"},
                link = {"ggml-base@.0", "ggml@.0", "llama@.0", "mtmd@.0", "luq"}),
        target = "dev.luq.preset",
        global = "dev.luq.preset.global.llama")
public class llama implements InfoMapper {

    @Override
    public void map(InfoMap infos) {
        // Only the C part of the headers is read.
        infos.put(new Info("__cplusplus").define(false));

        infos.put(new Info("LLAMA_API", "GGML_API", "GGML_BACKEND_API", "MTMD_API", "LUQ_API", "GGML_NORETURN",
                "_Noreturn", "restrict", "GGML_UNREACHABLE", "GGML_CALL", "GGML_RESTRICT", "GGML_DEPRECATED",
                "DEPRECATED", "LLAMA_DEPRECATED").cppTypes().annotations());

        // typedef struct x * x_t
        handle(infos, "llama_memory", "llama_memory_i");
        handle(infos, "ggml_backend_dev", "ggml_backend_device");
        for (String name : new String[] {"ggml_threadpool", "ggml_backend", "ggml_backend_buffer",
                "ggml_backend_buffer_type", "ggml_gallocr", "ggml_backend_event", "ggml_backend_reg",
                "ggml_backend_sched"}) {
            handle(infos, name, name);
        }

        // Enums that share their name with a function: the functions that we need win, the enums are ints anyway.
        infos.put(new Info("llama_pooling_type", "llama_vocab_type", "ggml_backend_dev_type",
                "ggml_backend_buffer_usage", "llama_context_params.pooling_type").skip());

        // Training, graph copies and macros that declare local variables: not called from Java.
        infos.put(new Info("llama_opt_params", "llama_opt_init", "llama_opt_epoch", "llama_opt_param_filter",
                "llama_opt_param_filter_all", "ggml_abort", "mtmd_get_memory_usage", "ggml_backend_guid",
                "GGML_TENSOR_UNARY_OP_LOCALS", "GGML_TENSOR_BINARY_OP_LOCALS", "GGML_TENSOR_TERNARY_OP_LOCALS",
                "GGML_TENSOR_BINARY_OP_LOCALS01", "ggml_backend_graph_copy", "ggml_backend_graph_copy_free",
                "ggml_backend_compare_graph_backend").skip());
    }

    private static void handle(InfoMap infos, String name, String struct) {
        infos.put(new Info(name + "_t").valueTypes(struct).pointerTypes("@ByPtrPtr " + struct));
    }
}
