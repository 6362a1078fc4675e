#include "harness.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace {

std::string setting(const char * name) {
    const char * value = std::getenv(name);
    if (!value) {
        fuzz::broken(std::string(name) + " is not set");
    }
    return value;
}

llama_model * load_model() {
    luq_log_init([](int, const char *) {}, GGML_LOG_LEVEL_ERROR);
    llama_model * model = llama_model_load_from_file(setting("LUQ_FUZZ_MODEL").c_str(), llama_model_default_params());
    if (!model) {
        fuzz::broken("LUQ_FUZZ_MODEL names no model");
    }
    return model;
}

llama_model * loaded_model() {
    static llama_model * model = load_model();
    return model;
}

llama_context * decoded_context() {
    auto params = llama_context_default_params();
    params.n_ctx = 64;
    params.n_threads = params.n_threads_batch = 1;
    llama_context * context = llama_init_from_model(loaded_model(), params);
    llama_token first = 1;
    if (!context || llama_decode(context, llama_batch_get_one(&first, 1)) != 0) {
        fuzz::broken("the model of LUQ_FUZZ_MODEL cannot be run");
    }
    return context;
}

} // namespace

namespace fuzz {

const llama_model * model() { return loaded_model(); }

llama_context * context() {
    static llama_context * context = decoded_context();
    return context;
}

std::string chat_template(const std::string & name) {
    std::ifstream in(setting("LUQ_FUZZ_TEMPLATES") + "/" + name + ".jinja");
    std::stringstream text;
    text << in.rdbuf();
    if (!in || text.str().empty()) {
        broken("there is no template " + name);
    }
    return text.str();
}

const std::vector<std::string> & template_names() {
    static const std::vector<std::string> names{
        "Qwen-Qwen2.5-7B-Instruct",
        "Qwen3-Coder",
        "meta-llama-Llama-3.1-8B-Instruct",
        "mistralai-Mistral-Nemo-Instruct-2407",
        "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use",
        "deepseek-ai-DeepSeek-V3.1",
        "openai-gpt-oss-120b",
        "meetkai-functionary-medium-v3.2",
    };
    return names;
}

void broken(const std::string & promise) {
    std::fprintf(stderr, "broken promise: %s\n", promise.c_str());
    std::abort();
}

std::string take(char * text) {
    if (!text) {
        broken("a text that cannot be refused was refused: " + std::string(luq_last_error()));
    }
    std::string copy = text;
    luq_string_free(text);
    return copy;
}

std::string request_with_tools() {
    return R"({"messages":[{"role":"user","content":"What is the weather?"}],"tools":[)"
           R"({"type":"function","function":{"name":"weather","description":"of a place","parameters":{"type":"object",)"
           R"("properties":{"place":{"type":"string"},"days":{"type":"integer"},"unit":{"enum":["C","F"]}},)"
           R"("required":["place"]}}},)"
           R"({"type":"function","function":{"name":"stop","parameters":{"type":"object","properties":{}}}}]})";
}

void sample(const json & answer, uint32_t seed, int tokens) {
    json options{
        {"temperature", 2.0},
        {"top_k", 0},
        {"top_p", 1.0},
        {"min_p", 0.0},
        {"frequency_penalty", 0.0},
        {"presence_penalty", 0.0},
        {"repeat_penalty", 1.0},
        {"seed", (int64_t) seed},
    };
    options["logit_bias"] = json::array();
    for (const char * key : {"grammar", "grammar_lazy", "grammar_prefix", "triggers", "preserved_tokens"}) {
        if (answer.contains(key)) {
            options[key] = answer.at(key);
        }
    }
    const Sampler sampler(luq_sampler_init(model(), options.dump_safe().c_str()));
    if (!sampler) {
        return;
    }
    const auto * vocab = llama_model_get_vocab(model());
    // A token may take a tenth of a second, and with these checks a second or two.
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < tokens && std::chrono::steady_clock::now() - start < std::chrono::seconds(1); i++) {
        const llama_token token = luq_sampler_sample(sampler.get(), context(), 0);
        if (token == LUQ_FAILED || llama_vocab_is_eog(vocab, token)) {
            return;
        }
        if (token < 0 || token >= llama_vocab_n_tokens(vocab)) {
            broken("a token is one of the vocabulary");
        }
    }
}

} // namespace fuzz
