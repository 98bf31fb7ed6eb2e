// fanin._core: each function converts its arguments, releases the GIL and makes one call. There is a file for each topic.
#include "bindings/register.hpp"

PYBIND11_MODULE(_core, m) {
  using namespace fanin::bindings;
  m.attr("__version__") = FANIN_VERSION;
  register_dtype(m);
  register_memory(m);
  register_samplers(m);
  register_matrices(m);
  register_statistics(m);
  register_environment(m);
  register_entry(m);
}
