// Generated messages: a first byte that chooses a template, a second one for the length of the pieces, then the text. Read
// in pieces it says what it says as a whole, when it has the form that the template demands: of another, calls are guessed
// from what came so far. Not for gpt-oss: there llama.cpp takes the head of a call for content until it has read the name.
#include "harness.h"

#include "peg-parser.h"

#include <map>

namespace {

std::string parser_state(const std::string & name) {
    const fuzz::Chat chat(luq_chat_init(fuzz::model(), fuzz::chat_template(name).c_str()));
    const auto answer = fuzz::take(luq_chat_apply(chat.get(), fuzz::request_with_tools().c_str()));
    return fuzz::json::parse(answer).at("parser").dump_safe();
}

const std::string & state(uint8_t choice) {
    static std::map<size_t, std::string> states;
    const auto & names = fuzz::template_names();
    auto & made = states[choice % names.size()];
    if (made.empty()) {
        made = parser_state(names[choice % names.size()]);
    }
    return made;
}

// Whether llama.cpp reads all of it without guessing.
bool has_form(uint8_t choice, const std::string & text) {
    const auto parser = fuzz::json::parse(state(choice));
    const auto arena = parser.at("arena").get<std::string>();
    if (arena.empty()) {
        return true;
    }
    common_peg_arena form;
    form.load(arena);
    const auto whole = parser.at("generation_prompt").get<std::string>() + text;
    common_peg_parse_context input(whole, COMMON_PEG_PARSE_FLAG_LENIENT);
    const auto result = form.parse(input);
    return result.success() && result.end == whole.size();
}

// What came so far: the content, and name and arguments of each call.
struct Message {
    std::string content;
    std::map<size_t, std::pair<std::string, std::string>> calls;

    // Returns false when the parser refuses the text.
    bool add(luq_parser * parser, const std::string & text, size_t length, bool partial) {
        char * deltas = luq_parser_update(parser, text.data(), length, partial);
        if (!deltas) {
            return false;
        }
        const auto array = fuzz::json::parse(fuzz::take(deltas));
        for (const auto & delta : array) {
            if (delta.contains("content")) {
                content += delta.at("content").get<std::string>();
                continue;
            }
            const auto call = delta.at("tool_call");
            auto & known = calls[call.at("index").get<size_t>()];
            known.first += call.value("name", "");
            known.second += call.at("arguments").get<std::string>();
        }
        return true;
    }

    bool operator==(const Message & other) const { return content == other.content && calls == other.calls; }

    std::string description() const {
        std::string text = "content \"" + content + "\"";
        for (const auto & call : calls) {
            text += ", call \"" + call.second.first + "\" \"" + call.second.second + "\"";
        }
        return text;
    }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string text((const char *) data + 2, size - 2);
    const size_t piece = 1 + data[1] + text.size() / 64;
    const fuzz::Parser whole(luq_parser_init(state(data[0]).c_str()));
    const fuzz::Parser pieces(luq_parser_init(state(data[0]).c_str()));
    Message expected, streamed;
    if (!expected.add(whole.get(), text, text.size(), false)) {
        return 0;
    }
    for (size_t end = piece; end < text.size(); end += piece) {
        if (!streamed.add(pieces.get(), text, end, true)) {
            return 0;
        }
    }
    const auto & names = fuzz::template_names();
    const bool comparable = names[data[0] % names.size()].find("gpt-oss") == std::string::npos;
    if (streamed.add(pieces.get(), text, text.size(), false) && comparable && !(streamed == expected) &&
        has_form(data[0], text)) {
        fuzz::broken("a message in pieces is the message as a whole: " + streamed.description() + " instead of " +
                     expected.description());
    }
    return 0;
}
