// How long llama.cpp as upstream has it encodes a picture. Arguments: text model, projector, threads, side of the
// picture in pixels, file of its 3 * side * side bytes. Prints the picture's tokens; then, for each line that it reads,
// encodes the picture and prints the seconds.
#include "ggml-backend.h"
#include "llama.h"
#include "mtmd.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

[[noreturn]] void fail(const char * what) {
    std::fprintf(stderr, "stock-encoder: %s\n", what);
    std::exit(1);
}

void log_errors(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR) {
        std::fputs(text, stderr);
    }
}

std::vector<unsigned char> read(const char * path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

const mtmd_input_chunk * picture(const mtmd_input_chunks * chunks) {
    for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
        const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks, i);
        if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_IMAGE) {
            return chunk;
        }
    }
    fail("no picture in the prompt");
}

} // namespace

int main(int count, char ** arguments) {
    if (count != 6) {
        fail("takes MODEL MMPROJ THREADS SIDE PIXELS");
    }
    const int threads = std::atoi(arguments[3]), side = std::atoi(arguments[4]);
    const std::vector<unsigned char> pixels = read(arguments[5]);
    if (threads < 1 || side < 1 || pixels.size() != size_t(3) * side * side) {
        fail("needs a thread or more and 3 * SIDE * SIDE bytes of pixels");
    }
    llama_log_set(log_errors, nullptr);
    mtmd_log_set(log_errors, nullptr);
    ggml_backend_load_all();
    llama_model_params model_parameters = llama_model_default_params();
    model_parameters.n_gpu_layers = 0;
    llama_model * model = llama_model_load_from_file(arguments[1], model_parameters);
    if (!model) {
        fail("cannot load the model");
    }
    mtmd_context_params parameters = mtmd_context_params_default();
    parameters.use_gpu = false;
    parameters.print_timings = false;
    parameters.warmup = false;
    parameters.n_threads = threads;
    mtmd_context * context = mtmd_init_from_file(arguments[2], model, parameters);
    if (!context) {
        fail("cannot open the projector");
    }
    const mtmd_bitmap * bitmap = mtmd_bitmap_init(side, side, pixels.data());
    const char * marker = mtmd_default_marker();
    const mtmd_input_text prompt = {marker, std::strlen(marker), false, false};
    mtmd_input_chunks * chunks = mtmd_input_chunks_init();
    if (mtmd_tokenize(context, chunks, &prompt, &bitmap, 1) != 0) {
        fail("cannot prepare the picture");
    }
    const mtmd_input_chunk * chunk = picture(chunks);
    std::printf("%zu\n", mtmd_input_chunk_get_n_tokens(chunk));
    std::fflush(stdout);
    for (int character = std::getchar(); character != EOF; character = std::getchar()) {
        if (character != '\n') {
            continue;
        }
        const auto start = std::chrono::steady_clock::now();
        if (mtmd_encode_chunk(context, chunk) != 0) {
            fail("cannot encode the picture");
        }
        std::printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        std::fflush(stdout);
    }
    return 0; // the process ends with all that it holds
}
