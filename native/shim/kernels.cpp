// Our kernels in ggml's CPU backend.
#include "guard.h"
#include "luq_shim.h"

#include "panel_buffers.h"

const char * luq_kernels_enable(const char * instruction_set) {
    return luq::guarded<const char *>(nullptr, [&] { return luq::kernels::enable(instruction_set); });
}
