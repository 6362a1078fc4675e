// Encoding images piece by piece.
#include "guard.h"
#include "luq_shim.h"

#include "gemm_product.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace {

using Clock = std::chrono::steady_clock;

const double PIECE_SECONDS = 0.02;
const double SLOWEST = 1e10; // operations a second from which the first image starts: pieces get longer, not shorter

double elements(const ggml_tensor * t) { return (double) ggml_nelements(t); }

// Floating-point operations. What is no product reads and writes memory, which takes the time of some operations.
double work_of(const ggml_tensor * node) {
    switch (node->op) {
        case GGML_OP_NONE:
        case GGML_OP_RESHAPE:
        case GGML_OP_VIEW:
        case GGML_OP_PERMUTE:
        case GGML_OP_TRANSPOSE:
            return 0;
        case GGML_OP_MUL_MAT:
            return 2 * elements(node) * (double) node->src[0]->ne[0];
        case GGML_OP_FLASH_ATTN_EXT:
            return 4 * elements(node) * (double) node->src[1]->ne[1];
        default:
            return 16 * elements(node);
    }
}

// A node that can be computed in slices: a product of a matrix, along the last dimension of what it is multiplied
// with, or attention, along its queries.
class Slices {
  public:
    // Whether the node is of that kind.
    static bool possible(const ggml_tensor * node) {
        if (node->op == GGML_OP_MUL_MAT) {
            return node->src[0]->ne[2] == 1 && node->src[0]->ne[3] == 1;
        }
        if (node->op == GGML_OP_FLASH_ATTN_EXT) {
            const ggml_tensor * mask = node->src[3];
            return node->src[0]->ne[3] == 1 && (!mask || mask->ne[1] >= node->src[0]->ne[1]);
        }
        return false;
    }

    explicit Slices(const ggml_tensor * node) : whole(node), slice(*node), attention(node->op != GGML_OP_MUL_MAT) {
        for (int i = 0; i < GGML_MAX_SRC; i++) {
            if (node->src[i]) {
                // Computed already: a leaf, whose own sources are of no interest.
                sources[i] = *node->src[i];
                sources[i].op = GGML_OP_NONE;
                sources[i].view_src = nullptr;
                std::fill(std::begin(sources[i].src), std::end(sources[i].src), nullptr);
                slice.src[i] = &sources[i];
            }
        }
        const ggml_tensor & cut = *(attention ? node->src[0] : node->src[1]);
        dimension = attention ? 1 : std::max(1, ggml_n_dims(&cut) - 1);
        length = cut.ne[dimension];
        const int64_t columns = attention ? 1 : ggml_nrows(&cut) / length; // of one of them
        unit = (luq::kernels::ENOUGH_COLUMNS + columns - 1) / columns;
        context = ggml_init({ggml_graph_overhead_custom(GGML_MAX_SRC + 1, false), nullptr, true});
        if (!context) {
            throw std::bad_alloc();
        }
        graph = ggml_new_graph_custom(context, GGML_MAX_SRC + 1, false);
        ggml_build_forward_expand(graph, &slice);
    }
    ~Slices() { ggml_free(context); }
    Slices(const Slices &) = delete;
    Slices & operator=(const Slices &) = delete;

    // Computes the next ones, about so many, in whole units. Returns how many: 0 after the last.
    int64_t compute(ggml_backend_t backend, int64_t about) {
        const int64_t count = std::max<int64_t>(1, about / unit) * unit, left = length - done;
        const int64_t n = left - count < unit ? left : count;
        if (n == 0) {
            return 0;
        }
        if (attention) {
            cut(sources[0], whole->src[0], 1, n);
            cut(slice, whole, 2, n);
            if (whole->src[3]) {
                cut(sources[3], whole->src[3], 1, n);
            }
        } else {
            cut(sources[1], whole->src[1], dimension, n);
            cut(slice, whole, dimension, n);
        }
        if (ggml_backend_graph_compute(backend, graph) != GGML_STATUS_SUCCESS) {
            throw std::runtime_error("a part of the image's graph cannot be computed");
        }
        done += n;
        return n;
    }

    int64_t count() const { return length; }

  private:
    void cut(ggml_tensor & part, const ggml_tensor * of, int along, int64_t n) const {
        part.ne[along] = n;
        part.data = (char *) of->data + done * of->nb[along];
    }

    const ggml_tensor * whole;
    ggml_tensor slice;
    ggml_tensor sources[GGML_MAX_SRC];
    bool attention;
    int dimension;
    int64_t length;
    // A slice has this many at least. Kernels are chosen by the number of columns and queries up to so many: all slices of a
    // node are computed as the whole is, so that a picture's embeddings do not depend on how fast the machine was.
    int64_t unit;
    int64_t done = 0;
    ggml_context * context;
    ggml_cgraph * graph;
};

} // namespace

// Sees the nodes of the graph before and, where it asked for that, after they are computed, and measures how fast this
// machine is. A node that takes longer than a piece is left out of the scheduler's graph for that moment and computed
// here in slices.
struct luq_encoder {
    explicit luq_encoder(int threads) : backend(ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr)) {
        if (!backend) {
            throw std::runtime_error("there is no CPU backend");
        }
        ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(ggml_backend_get_device(backend));
        auto set_threads =
            (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
        if (set_threads) {
            set_threads(backend, threads);
        }
    }
    ~luq_encoder() { ggml_backend_free(backend); }
    luq_encoder(const luq_encoder &) = delete;
    luq_encoder & operator=(const luq_encoder &) = delete;

    int32_t encode(mtmd_context * context, const mtmd_input_chunk * chunk, luq_encoding_callback asked) {
        callback = asked;
        stopped = false;
        failed = false;
        sliced = nullptr;
        layer = 0;
        begin_piece();
        const int32_t result = mtmd_encode_chunk(context, chunk);
        callback = nullptr;
        if (failed) {
            throw std::runtime_error(failure);
        }
        return stopped ? LUQ_STOPPED : result;
    }

    bool is_wanted(ggml_tensor * node) {
        if (!callback || stopped) {
            return stopped; // where the scheduler goes on with another part of the graph, that ends after its first node
        }
        int number = 0;
        if (node->op == GGML_OP_MUL_MAT && std::sscanf(node->src[0]->name, "v.blk.%d.", &number) == 1) {
            layer = number;
        }
        const double own = work_of(node);
        if (own > 2 * piece() && Slices::possible(node)) {
            sliced = node;
            op = node->op;
            node->op = GGML_OP_NONE;
            return true;
        }
        work += own;
        return work >= piece();
    }

    bool computed(ggml_tensor * node) noexcept {
        if (!callback || stopped) {
            return !stopped;
        }
        if (!sliced) {
            return end_piece();
        }
        sliced = nullptr;
        node->op = op;
        try {
            return (work < piece() / 2 || end_piece()) && compute_slices(node);
        } catch (const std::exception & e) {
            failed = true;
            failure = e.what();
            stopped = true;
            return false;
        }
    }

  private:
    double piece() const { return PIECE_SECONDS * rate; }

    void begin_piece() {
        work = 0;
        began = Clock::now();
    }

    // Returns whether the encoding goes on.
    bool end_piece() {
        const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
        if (seconds > 0) {
            rate = std::max(SLOWEST, (3 * rate + work / seconds) / 4);
        }
        stopped = !callback(layer);
        begin_piece();
        return !stopped;
    }

    bool compute_slices(const ggml_tensor * node) {
        Slices slices(node);
        const double each = work_of(node) / (double) slices.count();
        while (true) {
            const int64_t n = slices.compute(backend, (int64_t) ((piece() - work) / each));
            if (n == 0) {
                return true;
            }
            work += (double) n * each;
            if (work >= piece() && !end_piece()) {
                return false;
            }
        }
    }

    ggml_backend_t backend;
    luq_encoding_callback callback = nullptr;
    bool stopped = false;
    bool failed = false;
    std::string failure;
    int layer = 0;
    double rate = SLOWEST;   // operations a second
    double work = 0;         // operations since the piece began
    Clock::time_point began; // when the piece began
    ggml_tensor * sliced = nullptr;
    ggml_op op = GGML_OP_NONE; // of the node to be computed in slices
};

static bool on_node(ggml_tensor * node, bool ask, void * encoder) {
    auto * e = (luq_encoder *) encoder;
    return ask ? e->is_wanted(node) : e->computed(node);
}

luq_encoder * luq_encoder_init(int threads) {
    return luq::guarded<luq_encoder *>(nullptr, [&] { return new luq_encoder(threads); });
}

void luq_encoder_free(luq_encoder * encoder) { delete encoder; }

void luq_encoder_attach(luq_encoder * encoder, mtmd_context_params * params) {
    params->cb_eval = on_node;
    params->cb_eval_user_data = encoder;
}

int32_t luq_encoder_encode(luq_encoder * encoder, mtmd_context * context, const mtmd_input_chunk * chunk,
                           luq_encoding_callback callback) {
    return luq::guarded<int32_t>(LUQ_FAILED, [&] { return encoder->encode(context, chunk, callback); });
}
