// JSON schemas: whatever is accepted becomes a grammar that the sampler accepts.
#include "harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    const std::string schema((const char *) data, size);
    char * text = luq_schema_to_grammar(schema.c_str());
    if (text) {
        fuzz::sample({{"grammar", fuzz::take(text)}}, (uint32_t) size, 8);
    }
    return 0;
}
