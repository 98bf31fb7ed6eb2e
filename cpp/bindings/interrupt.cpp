#include "bindings/interrupt.hpp"

#include <pybind11/pybind11.h>

namespace fanin::bindings {
namespace {

unsigned long g_main_thread = 0;

bool interrupted() {
  const pybind11::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

// Finds the main thread when something is first drawn, so that `import fanin` need not import `threading`.
unsigned long main_thread() {
  if (g_main_thread == 0) {
    const auto main = pybind11::module_::import("threading").attr("main_thread")();
    g_main_thread = main.attr("ident").cast<unsigned long>();
  }
  return g_main_thread;
}

}  // namespace

Interrupt interrupt_of_this_thread() {
  return PyThread_get_thread_ident() == main_thread() ? Interrupt(interrupted) : Interrupt();
}

}  // namespace fanin::bindings
