// The search for low-bit blocks.
#include "guard.h"
#include "luq_shim.h"

#include "search.h"

int luq_quantize_version(ggml_type type) { return luq::quantize::searches(type) ? luq::quantize::VERSION : 0; }

bool luq_quantize_rows(ggml_type type, const float * weights, void * blocks, int64_t rows, int64_t columns,
                       const float * importance) {
    return luq::guarded(false, [&] {
        luq::quantize::quantize(type, weights, blocks, rows, columns, importance);
        return true;
    });
}
