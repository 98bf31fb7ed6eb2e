// Finds where every index of some axes, and the centre of the spatial axes, lie in memory.
#pragma once

#include <vector>

#include "tensor/region.hpp"

namespace fanin {

// Returns every index that is taken of some axes, in C order.
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

// Returns where the centre of the spatial axes begins in memory, or null if the part does not hold it.
inline char* centre_of(const std::vector<Taken>& spatial, void* data) {
  auto* place = static_cast<char*>(data);
  for (const Taken& axis : spatial) {
    const int64_t centre = axis.place_of((axis.size - 1) / 2);
    if (centre < 0) return nullptr;
    place += centre * axis.stride;
  }
  return place;
}

}  // namespace fanin
