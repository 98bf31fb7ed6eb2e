#include "bindings/interrupt.hpp"

#include <pybind11/pybind11.h>

namespace fanin::bindings {
namespace {

unsigned long g_main_thread = 0;

bool interrupted() {
  const pybind11::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

}  // namespace

void find_main_thread() {
  const auto main = pybind11::module_::import("threading").attr("main_thread")();
  g_main_thread = main.attr("ident").cast<unsigned long>();
}

Interrupt interrupt_of_this_thread() {
  return PyThread_get_thread_ident() == g_main_thread ? Interrupt(interrupted) : Interrupt();
}

}  // namespace fanin::bindings
