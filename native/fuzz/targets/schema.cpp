// JSON schemas: whatever is accepted becomes a grammar that the sampler accepts.
#include "harness.h"

namespace {

// What patterns mean is the caller's to say: a plain one, one with any characters, one with many states.
const char PATTERNS[] = R"({"^a$":"\"a\"","b":"char* \"b\" char*","states":"(\"a\"?){0,1999} \"b\""})";

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    const std::string schema((const char *) data, size);
    char * text = luq_schema_to_grammar(schema.c_str(), PATTERNS);
    if (text) {
        fuzz::sample({{"grammar", fuzz::take(text)}}, (uint32_t) size, 8);
    }
    return 0;
}
