// What entry points share: what a part takes from every axis of a tensor, where it goes, and what is drawn for it.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "api/fanin.hpp"
#include "api/refuse.hpp"
#include "cuda/backend.hpp"
#include "tensor/draw.hpp"
#include "tensor/overlap.hpp"
#include "tensor/region.hpp"

namespace fanin {

inline std::vector<Taken> taken(const Part& part, const Output& out) {
  std::vector<Taken> axes(part.shape.size());
  auto stride = int64_t(itemsize(part.dtype));
  size_t kept = out.strides.size();
  for (size_t i = part.shape.size(); i-- > 0;) {
    const AxisSlice slice = part.box.empty() ? AxisSlice{0, 1, part.shape[i]} : part.box[i];
    axes[i] = {slice.start, slice.count == 1 ? 1 : slice.step, slice.count, 0, part.shape[i]};
    if (!slice.keep) continue;
    axes[i].stride = out.strides.empty() ? stride : out.strides[--kept];
    stride *= slice.count;
    if (slice.count == 1) axes[i].stride = 0;
  }
  return axes;
}

// Every index that is taken of some axes, in C order.
inline std::vector<Place> places_of(const std::vector<Taken>& axes, char* data) {
  std::vector<Place> places{{0, data}};
  for (const Taken& axis : axes) {
    std::vector<Place> finer;
    finer.reserve(places.size() * size_t(axis.count));
    for (const Place& p : places)
      for (int64_t i = 0; i < axis.count; ++i)
        finer.push_back({p.number * axis.size + axis.start + i * axis.step, p.data + i * axis.stride});
    places.swap(finer);
  }
  return places;
}

inline bool is_empty(const std::vector<int64_t>& shape) {
  return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

inline void check_output(const Part& part, const Output& out, const std::vector<int64_t>& shape) {
  if (!out.strides.empty() && out.strides.size() != shape.size())
    refuse("out must have a stride for each of the ", shape.size(), " axes, got ", out.strides.size());
  if (!out.strides.empty() && overlaps(shape, out.strides, int64_t(itemsize(part.dtype))))
    refuse("out must not have elements whose memory overlaps");
  if (out.data == nullptr) refuse("out must have memory of its own, got a null pointer");
}

// The region of memory and of the global tensor that a part stands for; false if it has no elements.
inline bool make_region(const Part& part, const Output& out, Region& region) {
  const std::vector<int64_t> shape = result_shape(part);
  if (is_empty(shape)) return false;
  check_output(part, out, shape);
  region = {0, static_cast<char*>(out.data), {}};
  int64_t step = 1;
  const std::vector<Taken> axes = taken(part, out);
  for (size_t i = axes.size(); i-- > 0; step *= axes[i].size) {
    region.first += uint64_t(axes[i].start * step);
    region.axes.push_back({axes[i].count, axes[i].count == 1 ? 0 : axes[i].step * step, axes[i].stride});
  }
  std::reverse(region.axes.begin(), region.axes.end());
  return true;
}

// Where the centre of the spatial axes begins in memory; null if the part does not hold it.
inline char* centre_of(const std::vector<Taken>& spatial, void* data) {
  auto* place = static_cast<char*>(data);
  for (const Taken& axis : spatial) {
    const int64_t centre = axis.place_of((axis.size - 1) / 2);
    if (centre < 0) return nullptr;
    place += centre * axis.stride;
  }
  return place;
}

// Whether a GPU's memory is written. What is not drawn is as soon written to the host's as it comes from there.
inline bool on_gpu(const Output& out) { return out.queue && !out.queue->to_host; }

inline void require_kernel(const Output& out, const char* function) {
  if (out.queue && !cuda::has_kernel(function)) throw NotOnGpu(function);
}

// A draw from the name's stream of values; and of normals, checked.
Draw make_draw(Distribution distribution, const Part& part);
Draw make_normal_draw(double mean, double deviation, const Part& part);
// Of truncated normals, checked: a draw, or the one value that there is.
struct TruncatedDraw {
  Draw draw;
  std::optional<double> constant;
};
TruncatedDraw make_truncated_draw(double mean, double deviation, double low, double high, bool in_std,
                                  const Part& part);

}  // namespace fanin
