// Chat templates, as a model brings them: any Jinja text is refused or renders messages, with tools and without.
#include "harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    const std::string jinja((const char *) data, size);
    const fuzz::Chat chat(luq_chat_init(fuzz::model(), jinja.c_str()));
    if (chat) {
        luq_chat_supports_tools(chat.get());
        luq_string_free(luq_chat_apply(
            chat.get(),
            R"({"messages":[{"role":"system","content":"Be brief."},)"
            R"({"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":"Yes?"},)"
            R"({"role":"user","content":"Bye"}]})"));
        luq_string_free(luq_chat_apply(chat.get(), fuzz::request_with_tools().c_str()));
    }
    return 0;
}
