/// @file
/// Work that falls into independent parts, on all processors.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace latent {

/// How many processors this process may run on. std::thread::hardware_concurrency() counts the
/// machine's, whatever `taskset` or a container allows.
/// @return  At least 1.
inline int processors() {
  cpu_set_t allowed;
  return ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? std::max(CPU_COUNT(&allowed), 1)
                                                               : 1;
}

/// Does parts 0 to count - 1, each exactly once, on as many threads as this process has processors.
///
/// Which thread does which part is chance; the result is not, as long as a part writes nowhere but
/// to places of its own. A part must not throw.
///
/// @param count        How many parts.
/// @param make_worker  Called once on each thread. Returns a callable that takes a part's number,
///                     and may hold memory that it uses again for the next.
template <class MakeWorker>
void in_parallel(std::ptrdiff_t count, const MakeWorker& make_worker) {
  std::atomic<std::ptrdiff_t> next{0};
  const auto run = [&] {
    auto worker = make_worker();
    for (std::ptrdiff_t part = next++; part < count; part = next++) worker(part);
  };
  std::vector<std::jthread> helpers;
  const std::ptrdiff_t threads = processors();
  for (std::ptrdiff_t i = 1; i < threads && i < count; ++i) helpers.emplace_back(run);
  run();
}

}  // namespace latent
