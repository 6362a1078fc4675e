// Grammars: a first byte that chooses the tokens, then GBNF.
#include "harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    if (size > 1) {
        fuzz::sample({{"grammar", std::string((const char *) data + 1, size - 1)}}, data[0], 16);
    }
    return 0;
}
