// Chat requests: a first byte that chooses a template, then messages and tools as the server sends them. What the template
// makes of them, parsers and samplers take.
#include "harness.h"

#include <map>

namespace {

const luq_chat * chat(uint8_t choice) {
    static std::map<size_t, fuzz::Chat> chats;
    const auto & names = fuzz::template_names();
    auto & made = chats[choice % names.size()];
    if (!made) {
        made.reset(luq_chat_init(fuzz::model(), fuzz::chat_template(names[choice % names.size()]).c_str()));
    }
    return made.get();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string request((const char *) data + 1, size - 1);
    char * text = luq_chat_apply(chat(data[0]), request.c_str());
    if (!text) {
        return 0;
    }
    const auto answer = fuzz::json::parse(fuzz::take(text));
    const fuzz::Parser parser(luq_parser_init(answer.at("parser").dump_safe().c_str()));
    if (!parser) {
        fuzz::broken("a request that is accepted has a parser: " + std::string(luq_last_error()));
    }
    luq_string_free(luq_parser_update(parser.get(), "Hello.", 6, false));
    if (!answer.at("grammar").get<std::string>().empty()) {
        fuzz::sample(answer, data[0], 4);
    }
    return 0;
}
