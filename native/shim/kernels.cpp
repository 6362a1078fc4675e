// Our kernels in ggml's CPU backend.
#include "guard.h"
#include "luq_shim.h"

#include "panel_buffers.h"

using luq::kernels::Layout;

const char * luq_kernels_enable(luq_layout layout, const char * instruction_set) {
    return luq::guarded<const char *>(nullptr, [&] {
        return luq::kernels::enable(layout == LUQ_LAYOUT_COMPACT ? Layout::COMPACT : Layout::FAST, instruction_set);
    });
}
