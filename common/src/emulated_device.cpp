#include "common/emulated_device.hpp"

#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace latent::device::emulated {
namespace {

constexpr std::size_t kStack = 128 << 10;
constexpr unsigned kMostThreads = 1024;

enum class State { kReady, kAtWarp, kAtBlock, kEnded };

/// A thread of the block that is running: a context with a stack of its own.
struct Fiber {
  ucontext_t context{};
  State state = State::kReady;
  dim3 index;
};

/// The block that is running. One at a time: static variables are its shared memory.
struct Block {
  std::vector<Fiber> fibers;
  std::vector<char> stacks = std::vector<char>(kStack * kMostThreads);
  std::vector<std::uint64_t> slots;  // of all warps
  ucontext_t scheduler{};
  Fiber* current = nullptr;
  const std::function<void()>* body = nullptr;
};

Block& block() {
  static Block* const the_block = new Block;  // not destroyed: threads may have left objects there
  return *the_block;
}

std::size_t number_of(const Fiber& fiber) {
  return static_cast<std::size_t>(&fiber - block().fibers.data());
}

void thread_main() {
  (*block().body)();
  block().current->state = State::kEnded;
  ::swapcontext(&block().current->context, &block().scheduler);
}

void wait_as(State state) {
  Fiber& self = *block().current;
  self.state = state;
  ::swapcontext(&self.context, &block().scheduler);
}

void resume(Fiber& fiber) {
  block().current = &fiber;
  ::threadIdx = fiber.index;
  ::swapcontext(&block().scheduler, &fiber.context);
}

/// Lets the threads from `begin` on go if all of them have come to this barrier.
bool release(std::size_t begin, std::size_t count, State barrier) {
  auto& fibers = block().fibers;
  const std::size_t end = std::min(begin + count, fibers.size());
  bool any = false;
  for (std::size_t i = begin; i < end; ++i) {
    if (fibers[i].state != barrier && fibers[i].state != State::kEnded) return false;
    any = any || fibers[i].state == barrier;
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (fibers[i].state == barrier) fibers[i].state = State::kReady;
  }
  return any;
}

void prepare(dim3 size, const std::function<void()>& body) {
  Block& b = block();
  b.body = &body;
  b.fibers.resize(std::size_t{size.x} * size.y * size.z);  // most often as many as before
  b.slots.assign((b.fibers.size() + warpSize - 1) / warpSize * warpSize, 0);
  for (std::size_t i = 0; i < b.fibers.size(); ++i) {
    Fiber& fiber = b.fibers[i];
    const auto at = static_cast<unsigned>(i);
    fiber.state = State::kReady;
    fiber.index = dim3(at % size.x, at / size.x % size.y, at / size.x / size.y);
    ::getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = b.stacks.data() + kStack * i;
    fiber.context.uc_stack.ss_size = kStack;
    ::makecontext(&fiber.context, thread_main, 0);
  }
}

/// Runs each thread up to its next barrier, over and over.
void run_block(bool backwards) {
  auto& fibers = block().fibers;
  for (;;) {
    for (std::size_t i = 0; i < fibers.size(); ++i) {
      Fiber& fiber = fibers[backwards ? fibers.size() - 1 - i : i];
      if (fiber.state == State::kReady) resume(fiber);
    }
    bool released = false;
    for (std::size_t i = 0; i < fibers.size(); i += warpSize)
      released = release(i, warpSize, State::kAtWarp) || released;
    released = released || release(0, fibers.size(), State::kAtBlock);
    if (released) continue;
    if (std::all_of(fibers.begin(), fibers.end(),
                    [](const Fiber& f) { return f.state == State::kEnded; }))
      return;
    std::fprintf(stderr, "emulated device: threads wait for one another at different barriers\n");
    std::abort();
  }
}

}  // namespace

void run(dim3 grid, dim3 size, const std::function<void()>& body) {
  static bool backwards = false;
  const unsigned threads = size.x * size.y * size.z;
  if (threads == 0 || threads > kMostThreads) {
    std::fprintf(stderr, "emulated device: a block has 1 to 1024 threads, not %u\n", threads);
    std::abort();
  }
  ::gridDim = grid;
  ::blockDim = size;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        ::blockIdx = dim3(x, y, z);
        prepare(size, body);
        run_block(backwards);
        backwards = !backwards;
      }
    }
  }
}

void wait_for_block() {
  wait_as(State::kAtBlock);
}

void wait_for_warp() {
  wait_as(State::kAtWarp);
}

int lane() {
  return static_cast<int>(number_of(*block().current) % warpSize);
}

std::uint64_t* slots_of_warp() {
  return block().slots.data() + number_of(*block().current) / warpSize * warpSize;
}

}  // namespace latent::device::emulated

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  *data = std::malloc(std::max<std::size_t>(bytes, 1));
  if (*data == nullptr) return cudaErrorMemoryAllocation;
  std::memset(*data, 0xFF, bytes);  // as a float: not a number
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemset(void* data, int value, std::size_t bytes) {
  if (bytes > 0) std::memset(data, value, bytes);
  return cudaSuccess;
}
