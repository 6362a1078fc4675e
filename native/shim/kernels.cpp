// Our kernels in ggml's CPU backend, llama.cpp's own, and trials of both.
#include "guard.h"
#include "luq_shim.h"

#include "llama_layouts.h"
#include "trials.h"

#include <csignal>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>

using namespace luq::kernels;

namespace {

// Of this process: neither the CPU nor the backend changes.
const std::vector<Trial> & known_trials() {
    static const std::vector<Trial> known = trials(CpuBackend::find());
    return known;
}

std::set<ggml_type> types_named(const std::string & names) {
    std::set<ggml_type> types;
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
        types.insert(type_named(name));
    }
    return types;
}

// While it lives a fault ends the process by its own signal and leaves no core: the parent reads the signal, and a
// virtual machine around us would make an abort with a report of it.
class PlainDeath {
  public:
    PlainDeath() {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        struct sigaction plain{};
        plain.sa_handler = SIG_DFL;
        for (size_t i = 0; i < COUNT; i++) {
            sigaction(SIGNALS[i], &plain, &before[i]);
        }
    }
    ~PlainDeath() {
        for (size_t i = 0; i < COUNT; i++) {
            sigaction(SIGNALS[i], &before[i], nullptr);
        }
    }

  private:
    static constexpr int SIGNALS[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
    static constexpr size_t COUNT = sizeof SIGNALS / sizeof *SIGNALS;
    struct sigaction before[COUNT];
};

} // namespace

const char * luq_kernels_enable(luq_layout layout, const char * choice, int threads) {
    return luq::guarded<const char *>(nullptr, [&] {
        static std::string names;
        names = enable(layout == LUQ_LAYOUT_COMPACT ? Layout::COMPACT : Layout::FAST, choice, threads);
        return names.c_str();
    });
}

bool luq_kernels_restrict(const char * layout, const char * types) {
    return luq::guarded(false, [&] {
        restrict_layout(layout, types_named(types));
        return true;
    });
}

const char * luq_kernel_trial_name(int index) {
    return luq::guarded<const char *>(nullptr, [&]() -> const char * {
        if (index < 0 || (size_t) index >= known_trials().size()) {
            return "";
        }
        thread_local std::string name;
        const Trial & trial = known_trials()[index];
        name = std::string(ggml_type_name(trial.type)) + " " + trial.set + " " + trial.layouts();
        return name.c_str();
    });
}

bool luq_kernel_trial(int index, double * verdict) {
    return luq::guarded(false, [&] {
        if (index < 0 || (size_t) index >= known_trials().size()) {
            throw std::out_of_range("there is no trial " + std::to_string(index));
        }
        const PlainDeath plain;
        const Verdict result = run(CpuBackend::find(), known_trials()[index]);
        verdict[0] = result.error;
        verdict[1] = result.one;
        verdict[2] = result.many;
        return true;
    });
}
