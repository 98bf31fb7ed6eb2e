#include "cpu/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#ifdef FANIN_OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "core/fp_environment.hpp"

namespace fanin::cpu {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(20);

std::atomic<int> g_threads{0};
thread_local int t_limit = 0;

// An OpenMP runtime does not survive fork(): its pool is gone in the child, and a region there waits for it forever.
// After a fork that this library saw, work is serial. The kernel's process flags tell of a fork before the library was
// loaded; then, and if nothing tells, regions start from a fresh thread, for which the runtime makes a new pool.
enum class Forked { no, unknown, yes };
std::atomic<Forked> g_forked{Forked::unknown};

Forked forked_before_loading() {
#ifdef __linux__
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // Field 9 is `flags`; the fields after the command's closing parenthesis are state, ppid, pgrp, session, tty, tpgid, flags.
  const auto end = line.rfind(')');
  if (end == std::string::npos) return Forked::unknown;
  const char* p = line.c_str() + end + 1;
  for (int field = 0; field < 6 && *p; ++field) {
    while (*p == ' ')
      ++p;
    while (*p && *p != ' ')
      ++p;
  }
  constexpr unsigned long kForkedWithoutExec = 0x40;  // PF_FORKNOEXEC
  const unsigned long flags = std::strtoul(p, nullptr, 10);
  return flags == 0 || (flags & kForkedWithoutExec) ? Forked::unknown : Forked::no;
#else
  return Forked::unknown;
#endif
}

const bool g_watching = [] {
  g_forked = forked_before_loading();
#if defined(__unix__) || defined(__APPLE__)
  pthread_atfork(nullptr, nullptr, [] { g_forked = Forked::yes; });
#endif
  return true;
}();

// Reads a number of threads from the environment; returns 0 if the variable is not set.
int threads_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return 0;
  char* end;
  const long threads = std::strtol(text, &end, 10);
  if ((*end != '\0' && *end != ',') || threads < 1 || threads > 1 << 16)
    throw std::invalid_argument(std::string(variable) + " must be a positive number of threads, got '" + text + "'");
  return int(threads);
}

int default_threads() {
  static const int threads = [] {
    if (const int wanted = threads_from("FANIN_NUM_THREADS")) return wanted;
#ifdef FANIN_OPENMP
    return omp_get_max_threads();  // respects OMP_NUM_THREADS and the affinity mask
#else
    if (const int wanted = threads_from("OMP_NUM_THREADS")) return wanted;
    return int(std::max(1u, std::thread::hardware_concurrency()));
#endif
  }();
  return threads;
}

// Hands out chunks in order. One thread looks for interrupts, and sets a flag for the others.
struct Work {
  uint64_t count;
  const std::function<void(uint64_t)>& body;
  std::atomic<uint64_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  std::exception_ptr failure = nullptr;  // the exception of the first body that failed

  void drain(const Interrupt* interrupt) {
    const FpEnvironment environment;
    auto last = Clock::now();
    for (uint64_t chunk; !stopped.load(std::memory_order_relaxed) && (chunk = next.fetch_add(1)) < count;) {
      try {
        body(chunk);
      } catch (...) {
        if (!failed.test_and_set()) failure = std::current_exception();
        stopped = true;
      }
      if (interrupt && poll_due(last) && (*interrupt)()) stopped = true;
    }
  }
  static bool poll_due(Clock::time_point& last) {
    const auto now = Clock::now();
    if (now - last < kPollInterval) return false;
    last = now;
    return true;
  }
};

#ifdef FANIN_OPENMP
void run_region(Work& work, int threads, const Interrupt* interrupt) {
#pragma omp parallel num_threads(threads)
  work.drain(omp_get_thread_num() == 0 ? interrupt : nullptr);
}

void run_region_in_fresh_thread(Work& work, int threads, const Interrupt& interrupt) {
  std::atomic<bool> done{false};
  std::thread master([&] {
    run_region(work, threads, nullptr);
    done = true;
  });
  auto last = Clock::now();
  while (!done) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (interrupt && Work::poll_due(last) && interrupt()) work.stopped = true;
  }
  master.join();
}
#else
void run_threads(Work& work, int threads, const Interrupt* interrupt) {
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back([&] { work.drain(nullptr); });
  work.drain(interrupt);
  for (auto& thread : others)
    thread.join();
}
#endif

}  // namespace

void set_thread_count(int threads) { g_threads = threads; }

int swap_thread_limit(int threads) {
  const int old = t_limit;
  t_limit = threads;
  return old;
}

int thread_count() {
  if (g_forked == Forked::yes) return 1;
  if (t_limit > 0) return t_limit;
  const int threads = g_threads;
  return threads > 0 ? threads : default_threads();
}

const char* threading_backend() {
#ifdef FANIN_OPENMP
  return "OpenMP";
#else
  return "std::thread";
#endif
}

void parallel_chunks(uint64_t count, bool serial, const Interrupt& interrupt,
                     const std::function<void(uint64_t)>& body) {
  if (count == 1) return body(0);  // a small call: there is nothing to hand out, and the clock need not be read
  Work work{count, body};
  const auto threads = int(std::min<uint64_t>(uint64_t(thread_count()), count));
  const Interrupt* poll = interrupt ? &interrupt : nullptr;
  if (serial || threads <= 1) {
    work.drain(poll);
  } else {
#ifdef FANIN_OPENMP
    if (g_forked == Forked::no)
      run_region(work, threads, poll);
    else
      run_region_in_fresh_thread(work, threads, interrupt);
#else
    run_threads(work, threads, poll);
#endif
  }
  if (work.failure) std::rethrow_exception(work.failure);
  if (work.stopped) throw Interrupted();
}

}  // namespace fanin::cpu
