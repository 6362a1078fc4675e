// Chat templates, tool calls and grammars.
#include "guard.h"
#include "luq_shim.h"

#include "chat.h"
#include "json-schema-to-grammar.h"
#include "json.h"

#include <random>
#include <stdexcept>

using json = common_json;

struct luq_chat {
    common_chat_templates_ptr templates;
};

struct luq_parser {
    common_chat_parser_params params;

    // What has been handed out so far.
    std::string content;
    struct call {
        std::string id;
        std::string arguments;
        bool announced = false;
    };
    std::vector<call> calls;
};

namespace {

json parse_json(const char * text) {
    const std::string source(text);
    luq::check_json_nesting(source);
    return json::parse(source);
}

// What follows `sent` in `now`; nothing while a partial parse is behind what was sent already.
std::string appended(const std::string & sent, const std::string & now) {
    if (now.size() <= sent.size()) {
        return "";
    }
    if (now.compare(0, sent.size(), sent) != 0) {
        throw std::runtime_error("the generated message changed after it was sent");
    }
    return now.substr(sent.size());
}

// Patterns that the conversions of this thread know, for as long as this lives.
class known_patterns {
  public:
    explicit known_patterns(const json & patterns) {
        for (const auto & [pattern, expression] : patterns.items()) {
            known[pattern] = expression.get<std::string>();
        }
        common_schema_patterns() = &known;
    }
    ~known_patterns() { common_schema_patterns() = nullptr; }
    known_patterns(const known_patterns &) = delete;
    known_patterns & operator=(const known_patterns &) = delete;

  private:
    std::map<std::string, std::string> known;
};

std::string grammar_of_schema(json schema) {
    if (schema.is_object() && schema.empty()) {
        schema["type"] = "object"; // an empty schema means any object
    }
    return json_schema_to_grammar(schema);
}

std::string random_call_id() {
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    std::random_device device;
    std::uniform_int_distribution<size_t> letter(0, sizeof(alphabet) - 2);
    std::string id = "call_";
    for (int i = 0; i < 24; i++) {
        id += alphabet[letter(device)];
    }
    return id;
}

common_chat_templates_inputs inputs_of(const luq_chat * chat, const json & request) {
    common_chat_templates_inputs inputs;
    inputs.messages = common_chat_msgs_parse_oaicompat(request.at("messages"));
    if (request.contains("tools")) {
        inputs.tools = common_chat_tools_parse_oaicompat(request.at("tools"));
    }
    inputs.tool_choice = common_chat_tool_choice_parse_oaicompat(request.value("tool_choice", "auto"));
    if (request.contains("parallel_tool_calls")) {
        inputs.parallel_tool_calls = request.at("parallel_tool_calls").get<bool>();
    } else {
        auto caps = common_chat_templates_get_caps(chat->templates.get());
        inputs.parallel_tool_calls = caps["supports_parallel_tool_calls"];
    }
    inputs.add_generation_prompt = request.value("add_generation_prompt", true);
    inputs.enable_thinking = request.value("enable_thinking", true);
    const json variables = request.value("chat_template_kwargs", json::object());
    for (const auto & [name, value] : variables.items()) {
        inputs.chat_template_kwargs[name] = value.dump();
    }
    return inputs;
}

json triggers_to_json(const std::vector<common_grammar_trigger> & triggers) {
    json out = json::array();
    for (const auto & trigger : triggers) {
        out.push_back({{"type", (int) trigger.type}, {"value", trigger.value}, {"token", (int) trigger.token}});
    }
    return out;
}

// What the parser skips of the generation prompt: without it, tags of thoughts that the template has put there would
// become a part of the content.
std::string before_thoughts(const std::string & generation_prompt, const std::string & start) {
    return start.empty() ? generation_prompt : generation_prompt.substr(0, generation_prompt.find(start));
}

common_chat_msg message_in(const std::string & text, bool partial, const luq_parser & parser) {
    try {
        return common_chat_parse(text, partial, parser.params);
    } catch (const std::exception &) {
        if (partial) {
            throw;
        }
        // The model ended in the middle of a construct: hand out what can be understood.
        return common_chat_parse(text, true, parser.params);
    }
}

json tool_call_delta(size_t index, const std::string & arguments) {
    return json{{"index", index}, {"arguments", arguments}};
}

void push_tool_call(json & deltas, json call) {
    json delta = json::object();
    delta["tool_call"] = std::move(call);
    deltas.push_back(delta);
}

} // namespace

luq_chat * luq_chat_init(const struct llama_model * model, const char * jinja) {
    return luq::guarded<luq_chat *>(nullptr, [&] { return new luq_chat{common_chat_templates_init(model, jinja)}; });
}

void luq_chat_free(luq_chat * chat) { delete chat; }

bool luq_chat_supports_tools(const luq_chat * chat) {
    return luq::guarded(false, [&] { return common_chat_templates_get_caps(chat->templates.get())["supports_tools"]; });
}

bool luq_chat_has_template(const luq_chat * chat) { return common_chat_templates_was_explicit(chat->templates.get()); }

char * luq_chat_apply(const luq_chat * chat, const char * text) {
    return luq::guarded<char *>(nullptr, [&] {
        const json request = parse_json(text);
        const known_patterns patterns(request.value("patterns", json::object()));
        const auto inputs = inputs_of(chat, request);
        const auto params = common_chat_templates_apply(chat->templates.get(), inputs);

        json parser{
            {"format", (int) params.format},
            {"generation_prompt", before_thoughts(params.generation_prompt, params.thinking_start_tag)},
            {"arena", params.parser},
            {"parse_tool_calls", !inputs.tools.empty() && inputs.tool_choice != COMMON_CHAT_TOOL_CHOICE_NONE},
        };
        json answer{
            {"prompt", params.prompt},
            {"grammar", params.grammar},
            {"grammar_lazy", params.grammar_lazy},
            // The grammar starts with the text that the template puts behind the last message.
            {"grammar_prefix", params.generation_prompt},
            {"preserved_tokens", params.preserved_tokens},
            {"stops", params.additional_stops},
            {"thinking_start", params.thinking_start_tag},
            {"thinking_ends", params.thinking_end_tags},
        };
        answer["triggers"] = triggers_to_json(params.grammar_triggers);
        answer["parser"] = parser;
        return luq::copy_of(answer.dump_safe());
    });
}

luq_parser * luq_parser_init(const char * text) {
    return luq::guarded<luq_parser *>(nullptr, [&] {
        const json state = json::parse(text);
        auto parser = std::make_unique<luq_parser>();
        parser->params.format = (common_chat_format) state.at("format").get<int>();
        parser->params.generation_prompt = state.at("generation_prompt").get<std::string>();
        parser->params.parse_tool_calls = state.at("parse_tool_calls").get<bool>();
        const auto arena = state.at("arena").get<std::string>();
        if (!arena.empty()) {
            parser->params.parser.load(arena);
        }
        return parser.release();
    });
}

void luq_parser_free(luq_parser * parser) { delete parser; }

char * luq_parser_update(luq_parser * parser, const char * text, size_t length, bool partial) {
    return luq::guarded<char *>(nullptr, [&] {
        const std::string input(text, length);
        const auto message = message_in(input, partial, *parser);

        json deltas = json::array();
        const auto content = appended(parser->content, message.content);
        if (!content.empty()) {
            deltas.push_back({{"content", content}});
            parser->content += content;
        }
        const size_t n_calls = message.tool_calls.size();
        if (parser->calls.size() < n_calls) {
            parser->calls.resize(n_calls);
        }
        for (size_t i = 0; i < n_calls; i++) {
            const auto & now = message.tool_calls[i];
            auto & sent = parser->calls[i];
            // A partial parse may have read half of a name only: it is complete once something follows it.
            const bool named = !now.name.empty() && (!now.arguments.empty() || i + 1 < n_calls || !partial);
            if (!sent.announced && !named) {
                continue;
            }
            const auto arguments = appended(sent.arguments, now.arguments);
            json delta = tool_call_delta(i, arguments);
            if (!sent.announced) {
                sent.announced = true;
                sent.id = now.id.empty() ? random_call_id() : now.id;
                delta["id"] = sent.id;
                delta["name"] = now.name;
            } else if (arguments.empty()) {
                continue;
            }
            sent.arguments += arguments;
            push_tool_call(deltas, delta);
        }
        return luq::copy_of(deltas.dump_safe());
    });
}

char * luq_schema_to_grammar(const char * text, const char * patterns) {
    return luq::guarded<char *>(nullptr, [&] {
        const known_patterns known(json::parse(patterns));
        return luq::copy_of(grammar_of_schema(parse_json(text)));
    });
}
