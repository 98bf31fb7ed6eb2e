// Says in which stream of which device a GPU's work is put; the stream is the driver's handle.
#pragma once

namespace fanin {

struct Queue {
  int device;  // -1 stands for the current one
  void* stream;
  // Whether the output is in the host's memory; then the work uses a stream of its own.
  bool to_host = false;
  bool wait = false;  // whether the call waits until the work is done, as the output's owner would not
};

}  // namespace fanin
