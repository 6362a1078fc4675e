// The border between C++ exceptions and the C interface.
#pragma once

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

namespace luq {

void set_last_error(const std::string & message, bool limit = false);

// Runs body and returns what it returns; an exception becomes the thread's last error and the value `failed`.
template <typename T, typename Body> T guarded(T failed, Body && body) noexcept {
    try {
        return body();
    } catch (const std::length_error & e) {
        set_last_error(e.what(), true);
    } catch (const std::exception & e) {
        set_last_error(e.what());
    } catch (...) {
        set_last_error("unknown error");
    }
    return failed;
}

inline char * copy_of(const std::string & text) {
    char * copy = static_cast<char *>(std::malloc(text.size() + 1));
    if (!copy) {
        throw std::bad_alloc();
    }
    std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

// The parsers behind us recurse once per level of nesting and would run out of stack. opaque: pairs of characters between
// which nothing counts.
void check_nesting(const std::string & text, const char * opening, const char * closing, const char * opaque,
                   int limit);
inline void check_json_nesting(const std::string & json) { check_nesting(json, "{[", "}]", "\"\"", 128); }
// Besides texts, character classes, tokens and comments may have quotes and parentheses.
inline void check_grammar_nesting(const std::string & gbnf) { check_nesting(gbnf, "(", ")", "\"\"[]<>#\n", 512); }

} // namespace luq
