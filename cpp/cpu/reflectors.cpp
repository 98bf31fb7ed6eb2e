// Holds the reflector kernels. This source is compiled once for every instruction set.
#include "cpu/reflectors.hpp"

#include <type_traits>

#include "cpu/apply_reflectors.hpp"
#include "cpu/draw_reflectors.hpp"
#include "cpu/write_panel.hpp"

namespace fanin::FANIN_ISA {
namespace {

template <class T>
void gram(const ReflectorBlock<T>& block, int64_t segment, int64_t left, int64_t registers, T* part, bool add) {
  with_registers(registers, [&](auto r) {
    if constexpr (kWidth<T, r> % 4 == 0) gram_columns<T, r>(block, segment, left, part, add);
  });
}

template <class T>
void apply(const ReflectorBlock<T>& block, const Panel<T>& panel) {
  with_registers(panel.registers, [&](auto r) { apply_to<T, r>(block, panel); });
}

template <class T>
void solve_one(const ReflectorBlock<T>& block, const Panel<T>& panel, T* w) {
  with_registers(panel.registers, [&](auto r) { solve_panel<T, r>(block, panel, w); });
}

template <class T>
void update_one(const ReflectorBlock<T>& block, const Panel<T>& panel, int64_t segment, const T* w) {
  const Rows rows = rows_of(block, segment, block.to);
  with_registers(panel.registers, [&](auto r) { update_panel<T, r>(block, panel, rows, w); });
}

template <class T>
constexpr ReflectorKernels<T> table() {
  return {Vector<T>::kLanes, kPanelRegisters, kUpdateRegisters, draw_reflectors<T>, gram<T>,
          apply<T>,          solve_one<T>,    update_one<T>,    write_panel<T>};
}

}  // namespace

extern const OrthogonalKernels orthogonal_kernels;
const OrthogonalKernels orthogonal_kernels = {table<float>(), table<double>()};

}  // namespace fanin::FANIN_ISA
