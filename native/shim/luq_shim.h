// What LUQ needs of llama.cpp's C++ library llama-common, as plain C: chat templates, tool calls, grammars, sampling
// and logging; the switch of our own kernels; the search for low-bit blocks; and images encoded piece by piece.
// Structured values are UTF-8 JSON.
//
// A function that can fail returns NULL (or LUQ_FAILED) and leaves the reason in luq_last_error() of the same thread.
// No C++ exception leaves this interface. Strings that are returned as `char *` belong to the caller, who frees them
// with luq_string_free(). Objects are used by one thread at a time; luq_chat by any number.
#ifndef LUQ_SHIM_H
#define LUQ_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "llama.h"
#include "mtmd.h"

#define LUQ_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

#define LUQ_FAILED (-2)

LUQ_API const char * luq_last_error(void);
// Whether that was a limit: the input is valid, but costs more than it may.
LUQ_API bool luq_last_error_is_limit(void);
LUQ_API void luq_string_free(char * text);

// --- logging ---------------------------------------------------------------------------------------------------

// One whole line without its end; level is one of ggml_log_level: 1 debug, 2 info, 3 warning, 4 error.
typedef void (*luq_log_callback)(int level, const char * line);

// Sends the log of ggml, llama and mtmd to the callback, lines below min_level excepted, and silences llama-common's
// own logger, which would write to the standard streams. The callback is called from any thread.
LUQ_API void luq_log_init(luq_log_callback callback, int min_level);

// Forgets this thread's recent error lines; luq_log_errors() returns those logged since, one per line.
LUQ_API void luq_log_errors_clear(void);
LUQ_API const char * luq_log_errors(void);

// --- kernels ---------------------------------------------------------------------------------------------------

enum luq_layout {
    LUQ_LAYOUT_FAST = 0,    // IQ1_M, IQ2 and IQ3 take more room than in the file
    LUQ_LAYOUT_COMPACT = 1, // IQ1_M takes what it takes in the file, Q3_K 2 and Q6_K 1 % more; ggml has IQ2 and IQ3
};

// From now on weights of IQ1_M, IQ2, IQ3, IQ4_XS and Q2_K to Q6_K are kept in panels of that layout and multiplied by our
// kernels, and products of many columns and attention of many queries, as image encoders and prompts have them, by our
// GEMMs, whatever the type (native/KERNELS.md).
// Once per process, after the CPU backend is loaded and before the first model. choice is "type=set,type=set" in ggml's
// names of types and "avx512vbmi", "avx512vnni", "avxvnni", "avx2", "neon" and "scalar", where types that are not named
// are left to llama.cpp; and "type*columns=gemm" for products of that many columns and more, with "gemm-amxbf16",
// "gemm-avx512bf16", "gemm-avx512", "gemm-avxvnni", "gemm-avx2int16", "gemm-avx2" and "gemm-neon", of which that of f16
// computes attention; one set's name for all types; or NULL for the fastest that this CPU has, by rule. threads pack
// weights when they are loaded. Returns the names of the sets and GEMMs in use, "none" if llama.cpp multiplies
// everything, NULL if it failed.
LUQ_API const char * luq_kernels_enable(enum luq_layout layout, const char * choice, int threads);

// From now on llama.cpp uses its layout "AMX" or "CPU_REPACK" for weights of these types only ("q4_0,q8_0", may be
// empty). The layout "rows" stands for weights as they lie in the file: other types are multiplied by plain C++ then.
// After the CPU backend is loaded and before the first model. Returns false if it failed, also where the CPU has no such
// layout.
LUQ_API bool luq_kernels_restrict(const char * layout, const char * types);

// Every kernel that weights may meet on this CPU, by number from 0: "TYPE SET LAYOUTS", such as "q4_K avx2 both" or
// "q4_0 AMX stock"; empty after the last, NULL if it failed. Valid until the thread's next call.
LUQ_API const char * luq_kernel_trial_name(int index);

// Multiplies with it and compares with plain C++. verdict: the largest error as a part of what is allowed, up to 1 is
// right; 10^9 products a second on one core with one column of activations; with many. Returns false if it failed. Where
// the CPU cannot run it the process ends by the signal that says so: SIGILL, SIGSEGV and their like are not handled
// meanwhile.
LUQ_API bool luq_kernel_trial(int index, double * verdict);

// --- quantizing ------------------------------------------------------------------------------------------------

// The version of the search that makes blocks of this type (native/quantize): the same weights lead to the same blocks
// with the same version, on every CPU. 0 if the type is left to ggml.
LUQ_API int luq_quantize_version(enum ggml_type type);

// Quantizes rows, each of whole blocks and independent of the others; any thread. importance: weight of each column's
// errors, NULL for equal ones. With no rows it makes the tables of the type, which the first rows would: a tenth of a
// second. Returns false if it failed: the type is not searched for.
LUQ_API bool luq_quantize_rows(enum ggml_type type, const float * weights, void * blocks, int64_t rows, int64_t columns,
                               const float * importance);

// --- vision ----------------------------------------------------------------------------------------------------

typedef struct luq_encoder luq_encoder;

#define LUQ_STOPPED (-3)

// Called on the thread that encodes, after each piece of the work, about 20 ms of it. It may wait. layer counts from 0
// and is the one that the encoder has come to. Returns whether the encoding goes on.
typedef bool (*luq_encoding_callback)(int layer);

// For one context; threads are those of its parameters.
LUQ_API luq_encoder * luq_encoder_init(int threads);
// After the context.
LUQ_API void luq_encoder_free(luq_encoder * encoder);
// The context that is made with these parameters belongs to the encoder, which takes the place of another eval callback.
LUQ_API void luq_encoder_attach(luq_encoder * encoder, struct mtmd_context_params * params);
// As mtmd_encode_chunk, in pieces; its embeddings are where that leaves them. The callback may be NULL: then all is one
// piece. Returns LUQ_STOPPED if the callback ended it, and LUQ_FAILED or what mtmd_encode_chunk returned if it failed.
LUQ_API int32_t luq_encoder_encode(luq_encoder * encoder, mtmd_context * context, const mtmd_input_chunk * chunk,
                                   luq_encoding_callback callback);

// --- chat ------------------------------------------------------------------------------------------------------

typedef struct luq_chat luq_chat;
typedef struct luq_parser luq_parser;

// The given Jinja template; if it is empty the model's own, or ChatML when the model has none. The model must outlive it.
LUQ_API luq_chat * luq_chat_init(const struct llama_model * model, const char * jinja);
LUQ_API void luq_chat_free(luq_chat * chat);
LUQ_API bool luq_chat_supports_tools(const luq_chat * chat);
// Whether the model brought its own template.
LUQ_API bool luq_chat_has_template(const luq_chat * chat);

// Request: {"messages":[..], "tools":[..]?, "tool_choice":"auto|none|required"?, "parallel_tool_calls":bool?,
//           "patterns":{..}?, "add_generation_prompt":bool?, "enable_thinking":bool?, "chat_template_kwargs":{..}?}
//          enable_thinking is true unless set; chat_template_kwargs are further variables of the template.
//          patterns says what the patterns of the tools' schemas mean: see luq_schema_to_grammar.
// Answer:  {"prompt":"..", "grammar":"..", "grammar_lazy":bool, "grammar_prefix":"..", "triggers":[..],
//           "preserved_tokens":[".."], "stops":[".."], "thinking_start":"..", "thinking_ends":[".."], "parser":{..}}; grammar is "" when no call is
//           constrained, thinking_start when the template knows no thoughts.
// triggers and parser are meant for luq_sampler_init and luq_parser_init.
LUQ_API char * luq_chat_apply(const luq_chat * chat, const char * request);

LUQ_API luq_parser * luq_parser_init(const char * parser);
LUQ_API void luq_parser_free(luq_parser * parser);

// Parses everything generated so far and returns what is new since the last call, as an array of
// {"content":".."} and {"tool_call":{"index":n, "id":"..", "name":"..", "arguments":".."}}; id and name appear in the
// first piece of a call only, arguments are to be appended. `partial` says that more text may follow or that the text
// was cut off.
LUQ_API char * luq_parser_update(luq_parser * parser, const char * text, size_t length, bool partial);

// A JSON schema as a GBNF grammar whose start symbol is root. patterns is an object with a member for each regular
// expression in the schema: a GBNF expression for what may stand between the quotes of the JSON string, in which the symbol
// char is any character. An expression that is not there is refused.
LUQ_API char * luq_schema_to_grammar(const char * schema, const char * patterns);

// --- sampling --------------------------------------------------------------------------------------------------

typedef struct luq_sampler luq_sampler;

// Options: {"temperature":f, "top_k":n, "top_p":f, "min_p":f, "frequency_penalty":f, "presence_penalty":f,
//           "repeat_penalty":f, "seed":n, "logit_bias":[[token, bias],..],
//           "grammar":".."?, "grammar_lazy":bool?, "grammar_prefix":".."?, "triggers":[..]?, "preserved_tokens":[..]?}
// A temperature of 0 takes the likeliest token. The model must outlive the sampler.
// Grammars recurse: this wants a stack of some hundred megabytes for the largest that are accepted.
LUQ_API luq_sampler * luq_sampler_init(const struct llama_model * model, const char * options);
LUQ_API void luq_sampler_free(luq_sampler * sampler);

// A token of the prompt: seen by the penalties, not by the grammar.
LUQ_API int32_t luq_sampler_accept_prompt(luq_sampler * sampler, llama_token token);

// Samples from the logits that the last llama_decode left at this index of its batch, and accepts the token.
// Returns the token or LUQ_FAILED, which is a limit when the grammar needs more work for the token than one may.
LUQ_API llama_token luq_sampler_sample(luq_sampler * sampler, struct llama_context * context, int32_t index);

#ifdef __cplusplus
}
#endif

#endif
