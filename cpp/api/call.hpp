// A call of the API says which part of a parameter is wanted, where it goes, and who may end the work early.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "api/fanin.hpp"
#include "core/fp_environment.hpp"
#include "tensor/draw.hpp"
#include "tensor/region.hpp"

namespace fanin {

// A function of the API makes a Call before it computes anything. The Call is the guard as well: as long as it lives,
// the calling thread rounds to nearest and keeps subnormals. Places in memory, regions and draws come from it alone, so
// nothing can be drawn without it. (The threads that help are guarded where they start, in cpu/parallel.cpp.)
class Call {
 public:
  Call(const Part& part, const Output& out, const Interrupt& interrupt)
      : part_(part), out_(out), interrupt_(interrupt) {}

  const std::vector<int64_t>& shape() const { return part_.shape; }  // of the global tensor
  Dtype dtype() const { return part_.dtype; }
  char* data() const { return static_cast<char*>(out_.data); }
  const Interrupt& interrupt() const { return interrupt_; }

  // Returns a GPU's queue if its memory is to be written, else null. Where a GPU is to draw into the host's memory, the
  // host writes what is not random itself, which is as quick as copying it.
  const Queue* gpu() const { return out_.queue && !out_.queue->to_host ? &*out_.queue : nullptr; }
  void require_gpu_kernel(const char* function) const;  // throws NotOnGpu if a GPU would need one

  // Checks shape, box and output, and returns whether the part has any elements.
  bool has_elements() const;
  // Does the same, and sets the region of memory and of the global tensor that the part stands for.
  bool make_region(Region& region) const;
  // Returns the region of a part that has elements, and does not check the output.
  Region region() const;
  // Returns what the part takes from each axis of the tensor.
  std::vector<Taken> taken() const;

  // These return a draw from the name's stream of values: one whose parameters are not set yet, and one of normals.
  Draw draw(Distribution distribution) const;
  Draw normal_draw(double mean, double deviation) const;  // checks them
  uint64_t seed() const { return part_.seed; }
  uint64_t stream(uint8_t tag) const { return stream_id(part_.name, tag); }
  // These draw into the output, or write one value there, on the CPU or a GPU.
  void fill(const Draw& draw) const;
  void fill(double value) const;

 private:
  const FpEnvironment environment_;
  const Part& part_;
  const Output& out_;
  const Interrupt& interrupt_;
};

// Holds the draw of truncated normals, or the one value that all of them have.
struct TruncatedDraw {
  Draw draw;
  std::optional<double> constant;
};
// Checks the parameters; low and high are standard deviations from the mean if in_std.
TruncatedDraw truncated_draw(const Call& call, double mean, double deviation, double low, double high, bool in_std);

inline bool is_empty(const std::vector<int64_t>& shape) {
  return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

}  // namespace fanin
