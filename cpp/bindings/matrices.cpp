// Binds the functions that draw matrices, and those whose values follow from their place.
#include "api/expression.hpp"
#include "bindings/register.hpp"
#include "bindings/sampler.hpp"

namespace fanin::bindings {

void register_matrices(py::module_& m) {
  Sampler<orthogonal, Random::yes>::add(m, "orthogonal", {"gain", "layout", "blocks"});
  Sampler<haar, Random::yes>::add(m, "haar", {"gain", "special"});
  Sampler<delta_orthogonal, Random::yes>::add(m, "delta_orthogonal", {"gain", "layout"});
  Sampler<sparse, Random::yes>::add(m, "sparse", {"std", "nonzeros", "per_output", "layout"});
  Sampler<dirac, Random::no>::add(m, "dirac", {"gain", "groups", "layout"});
  Sampler<broadcast, Random::no>::add(m, "broadcast", {"values", "axis"});
  Sampler<sinusoid, Random::no>::add(m, "sinusoid", {"turns_high", "turns_low", "interleaved"});
  Sampler<step_bias, Random::yes>::add(m, "step_bias", {"low", "high", "floor"});
  Sampler<permutation, Random::yes>::add(m, "permutation", {});
  Sampler<expression, Random::yes>::add(m, "expression", {"steps"});
}

}  // namespace fanin::bindings
