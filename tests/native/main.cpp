// Known answers and golden values, for the active instruction set: fanin_golden [folder of golden files]
#include <exception>

#include "check.hpp"
#include "cpu/dispatch.hpp"

int main(int argc, char** argv) {
  check::Tally tally;
  try {
    check::known_answers(tally);
    check::fused_multiply_add(tally);
    check::golden(tally, argc > 1 ? argv[1] : FANIN_GOLDEN);
    std::printf("%s, %lu passed, %lu failed\n", fanin::active_kernels().isa, tally.passed, tally.failed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return tally.failed == 0 ? 0 : 1;
}
