#include "common/training.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <functional>
#include <numeric>

#include "common/require.hpp"

namespace latent {
namespace {

volatile std::sig_atomic_t stop_wanted = 0;

/// The first Ctrl-C waits for the step to end; a step may never end.
void ask_to_stop(int) {
  if (stop_wanted != 0) ::_exit(130);
  stop_wanted = 1;
}

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Shape NamedTensor::shape() const {
  if (const auto* tensor = std::get_if<Tensor4*>(&owner)) return (*tensor)->shape();
  if (const auto* row = std::get_if<RowVector*>(&owner)) return {1, (*row)->size()};
  return {std::get<Matrix*>(owner)->rows(), std::get<Matrix*>(owner)->cols()};
}

Eigen::Map<Matrix> NamedTensor::matrix() const {
  float* data = std::visit([](auto* tensor) { return tensor->data(); }, owner);
  const Shape sizes = shape();
  return {data, sizes[0],
          std::accumulate(sizes.begin() + 1, sizes.end(), Index{1}, std::multiplies<>())};
}

Matrix initial_weight(Index out, Index in, Random& random) {
  return random.normal_matrix(out, in) / std::sqrt(static_cast<float>(in));
}

Matrix random_rows(const Matrix& x, Index count, Random& random) {
  require(x.rows() > 0, "random_rows: expected a row to choose, got " + shape_of(x));
  Matrix chosen(count, x.cols());
  for (Index i = 0; i < count; ++i) chosen.row(i) = x.row(random.integer(0, x.rows() - 1));
  return chosen;
}

Training::Training(Run& run, TrainingPlan plan, NamedTensors tensors)
    : run_(run),
      plan_(std::move(plan)),
      tensors_(std::move(tensors)),
      losses_(plan_.terms.size()),
      begin_(Clock::now()),
      saved_(begin_),
      shown_(begin_),
      terminal_(::isatty(STDERR_FILENO) != 0) {
  restore();
  std::signal(SIGINT, ask_to_stop);
}

Training::~Training() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Training::restore() {
  const StoredTensors& kept = run_.checkpoint();
  const auto losses = kept.find(plan_.name + ".losses");
  if (losses == kept.end()) return;
  const std::string file = run_.option("--resume");
  const auto terms = static_cast<std::int64_t>(losses_.size());
  const Shape& shape = losses->second.shape;
  if (shape.size() != 2 || shape[0] != terms || shape[1] > plan_.steps)
    throw FileError(file + ": expected \"" + plan_.name + ".losses\" to have the shape " +
                    to_string({terms, plan_.steps}) + " or fewer columns, found " +
                    to_string(shape));
  step_ = first_ = shape[1];
  for (std::size_t term = 0; term < losses_.size(); ++term) {
    const auto from = losses->second.values.begin() + static_cast<std::ptrdiff_t>(term) * step_;
    losses_[term].assign(from, from + step_);
  }
  for (const NamedTensor& tensor : tensors_) {
    const StoredTensor& stored =
        expect_tensor(kept, plan_.name + "." + tensor.name, tensor.shape(), file);
    std::copy(stored.values.begin(), stored.values.end(), tensor.matrix().data());
  }
}

void Training::save() {
  StoredTensors& kept = run_.checkpoint();
  StoredTensor losses{{static_cast<std::int64_t>(losses_.size()), step_}, {}, "F32"};
  for (const auto& term : losses_)
    losses.values.insert(losses.values.end(), term.begin(), term.end());
  kept[plan_.name + ".losses"] = losses;
  for (const NamedTensor& tensor : tensors_) {
    const auto elements = tensor.matrix();
    kept[plan_.name + "." + tensor.name] = {
        tensor.shape(), {elements.data(), elements.data() + elements.size()}, "F32"};
  }
  path_ = run_.save_checkpoint();
  // Writing a file has switched Ctrl-C off.
  std::signal(SIGINT, ask_to_stop);
  saved_ = Clock::now();
}

bool Training::next() {
  if (!losses_.empty() && std::ssize(losses_[0]) != step_)
    throw std::logic_error("Training::next: step " + std::to_string(step_) + " recorded nothing");
  const bool over = step_ >= plan_.steps;
  if (over || stop_wanted != 0 || Clock::now() - saved_ >= plan_.save_every) save();
  show(over);
  if (stop_wanted != 0)
    throw TrainingStopped("\nstopped after step " + std::to_string(step_) + " of " +
                          std::to_string(plan_.steps) + " (" + plan_.name +
                          "); what was learned is kept. To go on:\n" + run_.facts().command +
                          " --resume '" + path_ + "'");
  if (over) return false;
  ++step_;
  return true;
}

void Training::record(const std::vector<double>& terms) {
  require_size(std::ssize(terms), std::ssize(losses_), "Training::record: terms");
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (!std::isfinite(terms[i]))
      throw std::runtime_error("after step " + std::to_string(step_) + " of " + plan_.name + ", " +
                               plan_.terms[i] + " is " + std::to_string(terms[i]) +
                               ": gradients or steps are too large, or wrong");
    losses_[i].push_back(static_cast<float>(terms[i]));
  }
}

/// On a terminal one line that changes, elsewhere a line every five seconds.
void Training::show(bool now) {
  const auto time = Clock::now();
  if (!now && time - shown_ < std::chrono::milliseconds(terminal_ ? 200 : 5000)) return;
  if (step_ == first_) return;
  shown_ = time;
  std::string terms;
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    char text[80];
    std::snprintf(text, sizeof text, "  %s %.5g", plan_.terms[i].c_str(),
                  double(losses_[i].back()));
    terms += text;
  }
  const double steps = static_cast<double>(step_ - first_), rate = steps / seconds(time - begin_);
  std::fprintf(stderr, "%s%s  step %lld/%lld%s  %.0f samples/s  %.0f s left%s",
               terminal_ ? "\r\033[K" : "", plan_.name.c_str(), static_cast<long long>(step_),
               static_cast<long long>(plan_.steps), terms.c_str(),
               rate * static_cast<double>(plan_.samples),
               static_cast<double>(plan_.steps - step_) / rate, terminal_ ? "" : "\n");
}

Series Training::curve(std::size_t term, std::size_t points) const {
  const std::vector<float>& all = losses_.at(term);
  Series curve{plan_.terms.at(term), {}, {}};
  const std::size_t count = std::min(points, all.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = i * all.size() / count, to = (i + 1) * all.size() / count;
    double sum = 0.0;
    for (std::size_t k = from; k < to; ++k) sum += double(all[k]);
    curve.x.push_back(static_cast<double>(to));
    curve.y.push_back(sum / static_cast<double>(to - from));
  }
  return curve;
}

}  // namespace latent
