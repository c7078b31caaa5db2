// A longjmp to another stack is what this is about; the check of _FORTIFY_SOURCE forbids it.
#undef _FORTIFY_SOURCE

#include "common/emulated_device.hpp"

#include <setjmp.h>
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

/// A thread of the block that is running, on a stack of its own. It is started once and serves
/// block after block. ucontext gives it its stack; from then on it is left and entered by _longjmp,
/// which makes no system call, where swapcontext makes one each time.
struct Fiber {
  ucontext_t context{};
  jmp_buf place{};
  bool started = false;
  State state = State::kEnded;
  dim3 index;
};

/// The block that is running. One at a time: static variables are its shared memory.
struct Block {
  std::vector<Fiber> fibers = std::vector<Fiber>(kMostThreads);
  std::size_t size = 0;  // threads of this block, the first fibers
  std::vector<char> stacks = std::vector<char>(kStack * kMostThreads);
  std::vector<std::uint64_t> slots;  // of all warps
  jmp_buf scheduler{};
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

void wait_as(State state) {
  Fiber& self = *block().current;
  self.state = state;
  if (_setjmp(self.place) == 0) _longjmp(block().scheduler, 1);
}

void thread_main() {
  for (;;) {
    (*block().body)();
    wait_as(State::kEnded);  // goes on in a later block
  }
}

void start(Fiber& fiber) {
  fiber.started = true;
  ::getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = block().stacks.data() + kStack * number_of(fiber);
  fiber.context.uc_stack.ss_size = kStack;
  ::makecontext(&fiber.context, thread_main, 0);
  ::setcontext(&fiber.context);
}

void resume(Fiber& fiber) {
  block().current = &fiber;
  ::threadIdx = fiber.index;
  if (_setjmp(block().scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.place, 1);
  start(fiber);
}

/// Lets the threads from `begin` on go if all of them have come to this barrier.
bool release(std::size_t begin, std::size_t count, State barrier) {
  auto& fibers = block().fibers;
  const std::size_t end = std::min(begin + count, block().size);
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
  b.size = std::size_t{size.x} * size.y * size.z;
  b.slots.assign((b.size + warpSize - 1) / warpSize * warpSize, 0);
  for (std::size_t i = 0; i < b.size; ++i) {
    const auto at = static_cast<unsigned>(i);
    b.fibers[i].state = State::kReady;
    b.fibers[i].index = dim3(at % size.x, at / size.x % size.y, at / size.x / size.y);
  }
}

/// Runs each thread up to its next barrier, over and over.
void run_block(bool backwards) {
  auto& fibers = block().fibers;
  const std::size_t size = block().size;
  for (;;) {
    for (std::size_t i = 0; i < size; ++i) {
      Fiber& fiber = fibers[backwards ? size - 1 - i : i];
      if (fiber.state == State::kReady) resume(fiber);
    }
    bool released = false;
    for (std::size_t i = 0; i < size; i += warpSize)
      released = release(i, warpSize, State::kAtWarp) || released;
    released = released || release(0, size, State::kAtBlock);
    if (released) continue;
    if (std::all_of(fibers.begin(), fibers.begin() + static_cast<std::ptrdiff_t>(size),
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

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  if (bytes > 0) std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemset(void* data, int value, std::size_t bytes) {
  if (bytes > 0) std::memset(data, value, bytes);
  return cudaSuccess;
}
