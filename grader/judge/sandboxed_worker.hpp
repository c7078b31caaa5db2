/// @file
/// A real submission: its functions in a process of their own, asked through a pipe.
#pragma once

#include <chrono>
#include <fstream>
#include <string>

#include "grader/judge/jail.hpp"
#include "grader/judge/submission.hpp"
#include "grader/wire/frame.hpp"

namespace latent::grader {

/// How a worker is run.
struct WorkerOptions {
  std::string executable;
  std::chrono::milliseconds deadline{3000};  ///< For one answer.
  bool sanitized = false;                    ///< Needs /proc and much address space.
  bool trusted = false;                      ///< One of ours, which is not locked in.
  std::string record = {};                   ///< A file that takes every request, or none.
};

/// Starts the worker at the first request and again after each crash.
class SandboxedWorker final : public Submission {
 public:
  explicit SandboxedWorker(WorkerOptions options) : options_(std::move(options)) {
    if (!options_.record.empty()) record_.open(options_.record, std::ios::binary);
  }

  Reply ask(const Request& request) override;
  std::string take_output() override;
  void start_afresh() override;

 private:
  void start();
  Reply failed(Outcome outcome, const std::string& note = {});
  Reply exchange(const Request& request);
  bool wait_for(short event, int fd, std::chrono::steady_clock::time_point end);
  void drain_output();

  WorkerOptions options_;
  Jailed process_;
  Fd requests_, replies_, output_;
  std::string printed_;
  std::size_t printed_bytes_ = 0;
  std::uint32_t sequence_ = 0;
  std::ofstream record_;
};

}  // namespace latent::grader
