// fanin._core: converts arguments, releases the GIL, makes one call. A file a topic.
#include "bindings/interrupt.hpp"
#include "bindings/register.hpp"

PYBIND11_MODULE(_core, m) {
  using namespace fanin::bindings;
  m.attr("__version__") = FANIN_VERSION;
  find_main_thread();
  register_dtype(m);
  register_memory(m);
  register_samplers(m);
  register_matrices(m);
  register_statistics(m);
  register_environment(m);
}
