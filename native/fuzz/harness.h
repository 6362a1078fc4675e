// What the fuzz targets share. Each target is one file of targets/ with LLVMFuzzerTestOneInput, which aborts when a
// promise of the shim is broken; what it may refuse, it refuses with an error.
#pragma once

#include "luq_shim.h"

#include "json.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fuzz {

using json = common_json;

// The model of LUQ_FUZZ_MODEL, loaded once: a small one, for its vocabulary and logits.
const llama_model * model();

// Holds the logits after one token of that model at index 0.
llama_context * context();

// A chat template by its file name in LUQ_FUZZ_TEMPLATES.
std::string chat_template(const std::string & name);

// Templates whose tool calls differ in kind: each has its own way through llama.cpp's parsers.
const std::vector<std::string> & template_names();

// Says which promise is broken and ends the process, which the fuzzer takes for a crash.
[[noreturn]] void broken(const std::string & promise);

// A string of the shim's as a C++ string; it must be one.
std::string take(char * text);

// A request of the shim with these tools, as the server sends it.
std::string request_with_tools();

// Samples some tokens under a grammar, as the answer of luq_chat_apply gives it or alone.
void sample(const json & answer, uint32_t seed, int tokens);

template <typename T, void (*Free)(T *)> struct Freed {
    void operator()(T * object) const { Free(object); }
};
using Chat = std::unique_ptr<luq_chat, Freed<luq_chat, luq_chat_free>>;
using Parser = std::unique_ptr<luq_parser, Freed<luq_parser, luq_parser_free>>;
using Sampler = std::unique_ptr<luq_sampler, Freed<luq_sampler, luq_sampler_free>>;

} // namespace fuzz
