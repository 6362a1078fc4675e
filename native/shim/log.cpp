// Errors and log lines.
#include "guard.h"
#include "luq_shim.h"

#include "log.h"
#include "mtmd-helper.h"

#include <deque>
#include <stdexcept>

namespace {

thread_local std::string last_error;
thread_local bool last_error_is_limit = false;
thread_local std::string partial_line;
thread_local int partial_level = GGML_LOG_LEVEL_INFO;
thread_local std::string recent_errors;

luq_log_callback sink = nullptr;
int min_level = GGML_LOG_LEVEL_INFO;

const size_t RECENT_ERRORS_LIMIT = 4096; // characters; a failing loader says what matters in its first lines

void emit(int level, const std::string & line) {
    if (line.empty()) {
        return;
    }
    if (level == GGML_LOG_LEVEL_ERROR && recent_errors.size() + line.size() < RECENT_ERRORS_LIMIT) {
        recent_errors += line;
        recent_errors += '\n';
    }
    if (sink && level >= min_level) {
        sink(level, line.c_str());
    }
}

// llama.cpp logs pieces of lines: a line ends where its text says so.
void on_log(enum ggml_log_level level, const char * text, void *) {
    try {
        if (level != GGML_LOG_LEVEL_CONT) {
            partial_level = level;
        }
        if (partial_level < min_level) {
            return;
        }
        for (const char * end; (end = std::strchr(text, '\n')) != nullptr; text = end + 1) {
            partial_line.append(text, end);
            emit(partial_level, partial_line);
            partial_line.clear();
        }
        partial_line += text;
    } catch (...) {
        partial_line.clear(); // out of memory: a lost log line is the smaller harm
    }
}

} // namespace

void luq::set_last_error(const std::string & message, bool limit) {
    last_error = message;
    last_error_is_limit = limit;
}

void luq::check_nesting(const std::string & text, const char * opening, const char * closing, const char * opaque,
                        int limit) {
    int depth = 0;
    char end = '\0'; // of what is opaque, while it lasts
    for (size_t i = 0; i < text.size(); i++) {
        const char c = text[i];
        if (end) {
            if (c == '\\' && (end == '"' || end == ']')) {
                i++;
            } else if (c == end || (c == '\r' && end == '\n')) {
                end = '\0';
            }
            continue;
        }
        for (const char * pair = opaque; *pair; pair += 2) {
            end = c == *pair ? pair[1] : end;
        }
        if (std::strchr(opening, c) && c != '\0') {
            if (++depth > limit) {
                throw std::invalid_argument("nested deeper than " + std::to_string(limit) + " levels");
            }
        } else if (std::strchr(closing, c) && c != '\0') {
            depth--;
        }
    }
}

const char * luq_last_error(void) { return last_error.c_str(); }

bool luq_last_error_is_limit(void) { return last_error_is_limit; }

void luq_string_free(char * text) { std::free(text); }

void luq_log_init(luq_log_callback callback, int level) {
    sink = callback;
    min_level = level;
    common_log_set_verbosity_thold(LOG_LEVEL_OUTPUT - 1);
    llama_log_set(on_log, nullptr);
    mtmd_helper_log_set(on_log, nullptr);
}

void luq_log_errors_clear(void) { recent_errors.clear(); }

const char * luq_log_errors(void) { return recent_errors.c_str(); }
