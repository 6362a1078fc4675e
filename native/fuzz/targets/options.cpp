// The shim's own JSON: options of a sampler.
#include "harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    const std::string options((const char *) data, size);
    const fuzz::Sampler sampler(luq_sampler_init(fuzz::model(), options.c_str()));
    if (sampler) {
        luq_sampler_accept_prompt(sampler.get(), 1);
        for (int i = 0; i < 4 && luq_sampler_sample(sampler.get(), fuzz::context(), 0) != LUQ_FAILED; i++) {
        }
    }
    return 0;
}
