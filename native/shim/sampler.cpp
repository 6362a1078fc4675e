// Sampling as llama-common does it, with a short cut for the likeliest token.
#include "guard.h"
#include "luq_shim.h"

#include "common.h"
#include "json.h"
#include "sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

using json = common_json;

struct luq_sampler {
    common_sampler_ptr sampler;
    const llama_vocab * vocab = nullptr;
    // Nothing but the likeliest token is asked for: no candidate list is needed.
    bool likeliest = false;
    // Added to the logits of their tokens, which ascend.
    std::vector<llama_logit_bias> biases;
};

namespace {

// A number of JSON as an integer of this type, which not all of them are.
template <typename T> T integer(const json & number) {
    const double value = number.get<double>();
    // the highest value of 64 bits is no double: the next one is beyond it
    if (!(value >= (double) std::numeric_limits<T>::min() && value < (double) std::numeric_limits<T>::max() + 1)) {
        throw std::invalid_argument("a number that is no integer of " + std::to_string(8 * sizeof(T)) + " bits");
    }
    return number.get<T>();
}

bool rejected(const std::string & grammar) {
    return grammar.compare(0, 11, "%llguidance") == 0; // llama-common aborts the process on it
}

llama_token single_token(const llama_vocab * vocab, const std::string & text) {
    const auto tokens = common_tokenize(vocab, text, false, true);
    return tokens.size() == 1 ? tokens[0] : LLAMA_TOKEN_NULL;
}

// As llama-server does it: a word that is one token triggers by that token, which then must be kept in the output.
std::vector<common_grammar_trigger>
triggers_of(const json & triggers, const llama_vocab * vocab, const std::set<llama_token> & preserved) {
    std::vector<common_grammar_trigger> out;
    for (const auto & item : triggers) {
        common_grammar_trigger trigger;
        const int type = integer<int>(item.at("type"));
        if (type < COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN || type > COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL) {
            throw std::invalid_argument("unknown type of grammar trigger");
        }
        trigger.type = (common_grammar_trigger_type) type;
        trigger.value = item.at("value").get<std::string>();
        trigger.token = item.contains("token") ? integer<int>(item.at("token")) : LLAMA_TOKEN_NULL;
        if (trigger.type == COMMON_GRAMMAR_TRIGGER_TYPE_WORD) {
            const auto token = single_token(vocab, trigger.value);
            if (token != LLAMA_TOKEN_NULL && preserved.count(token)) {
                trigger.type = COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN;
                trigger.token = token;
            }
        }
        out.push_back(std::move(trigger));
    }
    return out;
}

void read_grammar(const json & options, const llama_vocab * vocab, common_params_sampling & params) {
    const std::string grammar = options.value("grammar", "");
    if (grammar.empty()) {
        return;
    }
    if (rejected(grammar)) {
        throw std::invalid_argument("llguidance grammars are not supported");
    }
    luq::check_grammar_nesting(grammar);
    params.generation_prompt = options.value("grammar_prefix", "");
    params.grammar = {params.generation_prompt.empty() ? COMMON_GRAMMAR_TYPE_USER : COMMON_GRAMMAR_TYPE_TOOL_CALLS,
                      grammar};
    params.grammar_lazy = options.value("grammar_lazy", false);
    if (options.contains("preserved_tokens")) {
        for (const auto & text : options.at("preserved_tokens")) {
            const auto token = single_token(vocab, text.get<std::string>());
            if (token != LLAMA_TOKEN_NULL) {
                params.preserved_tokens.insert(token);
            }
        }
    }
    if (options.contains("triggers")) {
        params.grammar_triggers = triggers_of(options.at("triggers"), vocab, params.preserved_tokens);
    }
    if (params.grammar_lazy && params.grammar_triggers.empty()) {
        throw std::invalid_argument("a lazy grammar needs a trigger");
    }
}

void read_logit_bias(const json & biases, int32_t n_vocab, common_params_sampling & params) {
    for (const auto & pair : biases) {
        const int token = integer<int>(pair.at((size_t) 0));
        if (token < 0 || token >= n_vocab) {
            throw std::invalid_argument("logit bias for token " + std::to_string(token) + ", but the vocabulary has " +
                                        std::to_string(n_vocab) + " tokens");
        }
        params.logit_bias.push_back({token, pair.at((size_t) 1).get<float>()});
    }
}

bool only_likeliest(const common_params_sampling & params, const llama_vocab * vocab) {
    int32_t n_suppressed = 0;
    llama_vocab_get_suppress_tokens(vocab, &n_suppressed);
    return params.temp <= 0 && params.grammar.empty() && n_suppressed == 0 && params.penalty_repeat == 1.0f &&
           params.penalty_freq == 0.0f && params.penalty_present == 0.0f;
}

// Of equal ones the first.
llama_token likeliest_token(const float * logits, int32_t n_vocab, const std::vector<llama_logit_bias> & biases) {
    float best = -INFINITY;
    llama_token token = 0;
    const auto consider = [&](llama_token other, float logit) {
        if (logit > best) {
            best = logit;
            token = other;
        }
    };
    const auto consider_range = [&](llama_token begin, llama_token end) {
        if (begin < end) {
            const auto * largest = std::max_element(logits + begin, logits + end);
            consider((llama_token) (largest - logits), *largest);
        }
    };
    llama_token next = 0;
    for (auto bias = biases.begin(); bias != biases.end();) {
        const llama_token biased = bias->token;
        consider_range(next, biased);
        float logit = logits[biased];
        for (; bias != biases.end() && bias->token == biased; ++bias) {
            logit += bias->bias;
        }
        consider(biased, logit);
        next = biased + 1;
    }
    consider_range(next, n_vocab);
    return token;
}

} // namespace

luq_sampler * luq_sampler_init(const struct llama_model * model, const char * text) {
    return luq::guarded<luq_sampler *>(nullptr, [&] {
        const json options = json::parse(text);
        const auto * vocab = llama_model_get_vocab(model);

        common_params_sampling params;
        params.no_perf = true;
        params.seed = (uint32_t) integer<int64_t>(options.at("seed"));
        params.temp = options.at("temperature").get<float>();
        params.top_k = integer<int>(options.at("top_k"));
        params.top_p = options.at("top_p").get<float>();
        params.min_p = options.at("min_p").get<float>();
        params.penalty_repeat = options.at("repeat_penalty").get<float>();
        params.penalty_freq = options.at("frequency_penalty").get<float>();
        params.penalty_present = options.at("presence_penalty").get<float>();
        read_logit_bias(options.at("logit_bias"), llama_vocab_n_tokens(vocab), params);
        read_grammar(options, vocab, params);

        // llama.cpp's order; steps that are off are left out, they would be asked for every token.
        params.samplers.clear();
        if (params.penalty_repeat != 1.0f || params.penalty_freq != 0.0f || params.penalty_present != 0.0f) {
            params.samplers.push_back(COMMON_SAMPLER_TYPE_PENALTIES);
        }
        if (params.top_k > 0) {
            params.samplers.push_back(COMMON_SAMPLER_TYPE_TOP_K);
        }
        if (params.top_p < 1.0f) {
            params.samplers.push_back(COMMON_SAMPLER_TYPE_TOP_P);
        }
        if (params.min_p > 0.0f) {
            params.samplers.push_back(COMMON_SAMPLER_TYPE_MIN_P);
        }
        params.samplers.push_back(COMMON_SAMPLER_TYPE_TEMPERATURE);

        auto result = std::make_unique<luq_sampler>();
        result->vocab = vocab;
        result->likeliest = only_likeliest(params, vocab);
        if (result->likeliest) {
            result->biases = params.logit_bias;
            std::sort(result->biases.begin(), result->biases.end(),
                      [](const auto & a, const auto & b) { return a.token < b.token; });
        }
        result->sampler.reset(common_sampler_init(model, params));
        return result.release();
    });
}

void luq_sampler_free(luq_sampler * sampler) { delete sampler; }

int32_t luq_sampler_accept_prompt(luq_sampler * sampler, llama_token token) {
    return luq::guarded<int32_t>(LUQ_FAILED, [&] {
        common_sampler_accept(sampler->sampler.get(), token, false);
        return 0;
    });
}

llama_token luq_sampler_sample(luq_sampler * sampler, struct llama_context * context, int32_t index) {
    return luq::guarded<llama_token>(LUQ_FAILED, [&] {
        const float * logits = llama_get_logits_ith(context, index);
        if (!logits) {
            throw std::out_of_range("the last batch left no logits at index " + std::to_string(index));
        }
        if (sampler->likeliest) {
            return likeliest_token(logits, llama_vocab_n_tokens(sampler->vocab), sampler->biases);
        }
        const llama_token token = common_sampler_sample(sampler->sampler.get(), context, index);
        common_sampler_accept(sampler->sampler.get(), token, true);
        return token;
    });
}
