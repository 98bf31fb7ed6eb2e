// Where a GPU's work is put: a stream of a device, by its driver's handle.
#pragma once

namespace fanin {

struct Queue {
  int device;  // -1: the current one
  void* stream;
  // The output is in the host's memory, which it reaches in a stream of its own.
  bool to_host = false;
  bool wait = false;  // for the work to be done: the output's owner would not
};

}  // namespace fanin
