// Binds the functions that draw each value on its own.
#include "bindings/register.hpp"
#include "bindings/sampler.hpp"

namespace fanin::bindings {

void register_samplers(py::module_& m) {
  Sampler<bits, Random::yes>::add(m, "bits", {});
  Sampler<uniform, Random::yes>::add(m, "uniform", {"low", "high"});
  Sampler<normal, Random::yes>::add(m, "normal", {"mean", "std"});
  Sampler<truncated_normal, Random::yes>::add(m, "truncated_normal", {"mean", "std", "low", "high", "in_std"});
  Sampler<constant, Random::no>::add(m, "constant", {"value"});
}

}  // namespace fanin::bindings
