// Known answers and golden values, for the active instruction set: fanin_golden [folder of golden files]
#include <cstdlib>
#include <exception>

#include "check.hpp"
#include "cpu/dispatch.hpp"

int main(int argc, char** argv) {
  check::Tally tally;
  try {
    check::known_answers(tally);
    check::golden(tally, argc > 1 ? argv[1] : FANIN_GOLDEN);
    check::fused_multiply_add(tally);
    check::selection(tally);
    check::statistics(tally);
    check::rounding(tally);
    const std::string active = fanin::cpu::active_kernels().isa;
    const char* forced = std::getenv("FANIN_FORCE_ISA");
    tally.expect(forced == nullptr || *forced == 0 || active == forced,
                 [&] { return "the forced set: found " + active; });
    std::printf("%s, %lu passed, %lu failed\n", active.c_str(), tally.passed, tally.failed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return tally.failed == 0 ? 0 : 1;
}
