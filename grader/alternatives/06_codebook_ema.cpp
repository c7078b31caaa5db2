// Right answers to lab 06 in other words. Every property must accept them, and no diagnosis may
// ever be given to one.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "codebook_ema.hpp"
#include "common/require.hpp"
#include "grader/judge/misconception.hpp"

namespace latent {

// ---- 6.1 codebook_usage ------------------------------------------------------------------------

namespace sorted_and_unique {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(codebook_size > 0, "the codebook is empty");
  std::vector<std::int64_t> sorted = indices;
  std::sort(sorted.begin(), sorted.end());
  require(sorted.empty() || (sorted.front() >= 0 && sorted.back() < codebook_size), "index");
  const auto last = std::unique(sorted.begin(), sorted.end());
  CodebookUsage usage;
  usage.used = last - sorted.begin();
  usage.share = static_cast<double>(usage.used) / static_cast<double>(codebook_size);
  return usage;
}
}  // namespace sorted_and_unique
ALTERNATIVE(sorted_and_unique, codebook_usage)

namespace as_a_set {
CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  if (codebook_size < 1) throw std::invalid_argument("no codes");
  const std::set<std::int64_t> codes(indices.begin(), indices.end());
  if (!codes.empty() && (*codes.begin() < 0 || *codes.rbegin() >= codebook_size))
    throw std::invalid_argument("index");
  const auto used = static_cast<std::int64_t>(codes.size());
  return {used, double(used) / double(codebook_size)};
}
}  // namespace as_a_set
ALTERNATIVE(as_a_set, codebook_usage)

namespace counts_before_shares {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(codebook_size > 0 && !indices.empty(), "nothing to count");
  std::vector<std::int64_t> counts(static_cast<std::size_t>(codebook_size), 0);
  for (const std::int64_t k : indices) {
    require(k >= 0 && k < codebook_size, "index");
    ++counts[static_cast<std::size_t>(k)];
  }
  // H = ln N - (1 / N) sum n ln n.
  double sum = 0.0;
  for (const std::int64_t n : counts) sum += n == 0 ? 0.0 : double(n) * std::log(double(n));
  const auto rows = static_cast<double>(indices.size());
  return rows * std::exp(-sum / rows);
}
}  // namespace counts_before_shares
ALTERNATIVE(counts_before_shares, codebook_perplexity)

namespace entropy_of_a_map {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(codebook_size > 0 && !indices.empty(), "nothing to count");
  std::map<std::int64_t, double> counts;
  for (const std::int64_t k : indices) {
    require(0 <= k && k < codebook_size, "index " + std::to_string(k));
    counts[k] += 1.0;
  }
  double bits = 0.0;
  for (const auto& [k, count] : counts) {
    const double p = count / static_cast<double>(indices.size());
    bits -= p * std::log2(p);
  }
  return std::exp2(bits);
}
}  // namespace entropy_of_a_map
ALTERNATIVE(entropy_of_a_map, codebook_perplexity)

namespace tiny_inside_the_logarithm {
double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  require(codebook_size > 0 && !indices.empty(), "nothing to count");
  Eigen::ArrayXd p = Eigen::ArrayXd::Zero(codebook_size);
  for (const std::int64_t k : indices) {
    if (k < 0 || k >= codebook_size) throw std::invalid_argument("index");
    p(k) += 1.0 / static_cast<double>(indices.size());
  }
  return std::exp(-(p * (p + 1e-10).log()).sum());
}
}  // namespace tiny_inside_the_logarithm
ALTERNATIVE(tiny_inside_the_logarithm, codebook_perplexity)

// ---- 6.2 assignment_stats ----------------------------------------------------------------------

namespace one_hot {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require(codebook_size > 0, "no codes");
  require_size(static_cast<Index>(indices.size()), z.rows(), "indices");
  Matrix hot = Matrix::Zero(z.rows(), codebook_size);
  for (Index n = 0; n < z.rows(); ++n) {
    const std::int64_t k = indices[static_cast<std::size_t>(n)];
    require(k >= 0 && k < codebook_size, "index");
    hot(n, k) = 1.0F;
  }
  return {hot.colwise().sum().transpose().cast<double>(), hot.transpose() * z};
}
}  // namespace one_hot
ALTERNATIVE(one_hot, assignment_stats)

namespace code_by_code {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  if (codebook_size < 1) throw std::invalid_argument("no codes");
  if (static_cast<Index>(indices.size()) != z.rows()) throw std::invalid_argument("lengths");
  for (const std::int64_t k : indices)
    if (k < 0 || k >= codebook_size) throw std::invalid_argument("index");
  ClusterStats batch{DoubleVector(codebook_size), Matrix::Zero(codebook_size, z.cols())};
  for (Index k = 0; k < codebook_size; ++k) {
    batch.size(k) = double(std::count(indices.begin(), indices.end(), k));
    for (Index n = 0; n < z.rows(); ++n)
      if (indices[static_cast<std::size_t>(n)] == k) batch.sum.row(k) += z.row(n);
  }
  return batch;
}
}  // namespace code_by_code
ALTERNATIVE(code_by_code, assignment_stats)

namespace summed_in_double {
ClusterStats assignment_stats(const Matrix& z, const std::vector<std::int64_t>& indices,
                              std::int64_t codebook_size) {
  require(codebook_size >= 1 && static_cast<Index>(indices.size()) == z.rows(), "arguments");
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(codebook_size, z.cols());
  std::vector<int> counts(static_cast<std::size_t>(codebook_size), 0);
  for (std::size_t n = 0; n < indices.size(); ++n) {
    require(indices[n] >= 0 && indices[n] < codebook_size, "index");
    ++counts[static_cast<std::size_t>(indices[n])];
    sum.row(indices[n]) += z.row(static_cast<Index>(n)).cast<double>();
  }
  DoubleVector size(codebook_size);
  std::copy(counts.begin(), counts.end(), size.data());
  return {size, sum.cast<float>()};
}
}  // namespace summed_in_double
ALTERNATIVE(summed_in_double, assignment_stats)

// ---- 6.3 ema_decay -----------------------------------------------------------------------------

namespace a_step_towards {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  require(average.size.size() == batch.size.size(), "sizes");
  require(average.sum.rows() == batch.sum.rows(), "sums");
  require(average.sum.cols() == batch.sum.cols(), "columns");
  require(decay >= 0.0 && decay < 1.0, "decay");
  ClusterStats next = average;
  next.size += (1.0 - decay) * (batch.size - average.size);
  next.sum += static_cast<float>(1.0 - decay) * (batch.sum - average.sum);
  return next;
}
}  // namespace a_step_towards
ALTERNATIVE(a_step_towards, ema_decay)

namespace element_by_element {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  if (!(decay >= 0.0) || !(decay < 1.0)) throw std::invalid_argument("decay");
  if (average.size.size() != batch.size.size()) throw std::invalid_argument("sizes");
  if (shape_of(average.sum) != shape_of(batch.sum)) throw std::invalid_argument("sums");
  ClusterStats next = batch;
  for (Index k = 0; k < next.size.size(); ++k)
    next.size(k) = decay * average.size(k) + (1.0 - decay) * batch.size(k);
  for (Index i = 0; i < next.sum.size(); ++i) {
    next.sum.data()[i] = static_cast<float>(decay * double(average.sum.data()[i]) +
                                            (1.0 - decay) * double(batch.sum.data()[i]));
  }
  return next;
}
}  // namespace element_by_element
ALTERNATIVE(element_by_element, ema_decay)

namespace scaled_then_added {
ClusterStats ema_decay(const ClusterStats& average, const ClusterStats& batch, double decay) {
  require_size(average.size.size(), batch.size.size(), "sizes of average");
  require_size(average.sum.rows(), batch.sum.rows(), "sums of average");
  require_size(average.sum.cols(), batch.sum.cols(), "columns of average");
  require(decay >= 0.0, "decay below 0");
  require(decay < 1.0, "decay not below 1");
  ClusterStats next{average.size * decay, average.sum * static_cast<float>(decay)};
  next.size += batch.size * (1.0 - decay);
  next.sum += batch.sum * static_cast<float>(1.0 - decay);
  return next;
}
}  // namespace scaled_then_added
ALTERNATIVE(scaled_then_added, ema_decay)

// ---- 6.4 laplace_smooth ------------------------------------------------------------------------

namespace loop_of_shares {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  if (!(epsilon > 0.0)) throw std::invalid_argument("epsilon");
  double sum = 0.0, raised = 0.0;
  for (const double n : size) {
    if (!(n >= 0.0)) throw std::invalid_argument("size");
    sum += n;
    raised += n + epsilon;
  }
  DoubleVector smoothed(size.size());
  for (Index k = 0; k < size.size(); ++k) smoothed(k) = sum * ((size(k) + epsilon) / raised);
  return smoothed;
}
}  // namespace loop_of_shares
ALTERNATIVE(loop_of_shares, laplace_smooth)

namespace one_factor {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require(epsilon > 0.0 && (size.array() >= 0.0).all(), "arguments");
  const double factor = size.sum() / (size.sum() + double(size.size()) * epsilon);
  return factor * (size + DoubleVector::Constant(size.size(), epsilon));
}
}  // namespace one_factor
ALTERNATIVE(one_factor, laplace_smooth)

namespace mixed_with_even_shares {
DoubleVector laplace_smooth(const DoubleVector& size, double epsilon) {
  require(epsilon > 0.0, "epsilon");
  for (Index k = 0; k < size.size(); ++k) require(size(k) >= 0.0, "size");
  // (1 - w) N_k + w S / K, with the weight w that the K epsilons have.
  const double k = double(size.size()), sum = size.sum(), w = k * epsilon / (sum + k * epsilon);
  return ((1.0 - w) * size.array() + w * sum / k).matrix();
}
}  // namespace mixed_with_even_shares
ALTERNATIVE(mixed_with_even_shares, laplace_smooth)

// ---- 6.5 codebook_from_ema ---------------------------------------------------------------------

namespace row_by_row {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  if (average.size.size() != average.sum.rows()) throw std::invalid_argument("lengths");
  const DoubleVector size = laplace_smooth(average.size, epsilon);
  if (!(average.size.sum() > 0.0)) throw std::invalid_argument("nothing");
  Matrix codebook(average.sum.rows(), average.sum.cols());
  for (Index k = 0; k < codebook.rows(); ++k)
    codebook.row(k) = (average.sum.row(k).cast<double>() / size(k)).cast<float>();
  return codebook;
}
}  // namespace row_by_row
ALTERNATIVE(row_by_row, codebook_from_ema)

namespace by_a_diagonal {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  require_size(average.size.size(), average.sum.rows(), "sizes");
  const DoubleVector size = laplace_smooth(average.size, epsilon);
  require(size.size() > 0 && size.maxCoeff() > 0.0, "no size above 0");
  return size.cwiseInverse().cast<float>().asDiagonal() * average.sum;
}
}  // namespace by_a_diagonal
ALTERNATIVE(by_a_diagonal, codebook_from_ema)

namespace on_its_own {
Matrix codebook_from_ema(const ClusterStats& average, double epsilon) {
  require_size(average.size.size(), average.sum.rows(), "sizes");
  require(epsilon > 0.0 && (average.size.array() >= 0.0).all(), "arguments");
  const double sum = average.size.sum();
  require(sum > 0.0, "no size above 0");
  const double lift = (sum + double(average.size.size()) * epsilon) / sum;
  Matrix codebook = average.sum;
  for (Index k = 0; k < codebook.rows(); ++k)
    codebook.row(k) *= static_cast<float>(lift / (average.size(k) + epsilon));
  return codebook;
}
}  // namespace on_its_own
ALTERNATIVE(on_its_own, codebook_from_ema)

// ---- 6.6 dead_mask -----------------------------------------------------------------------------

namespace early_return {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  if (rows < 1 || updates < 0) throw std::invalid_argument("counts");
  if (!(decay >= 0.0) || !(decay < 1.0)) throw std::invalid_argument("decay");
  if (!(threshold >= 0.0)) throw std::invalid_argument("threshold");
  std::vector<std::int32_t> dead(static_cast<std::size_t>(size.size()), 0);
  if (static_cast<double>(updates) <= 1.0 / (1.0 - decay)) return dead;
  for (Index k = 0; k < size.size(); ++k) {
    if (size(k) * double(size.size()) < threshold * double(rows))
      dead[static_cast<std::size_t>(k)] = 1;
  }
  return dead;
}
}  // namespace early_return
ALTERNATIVE(early_return, dead_mask)

namespace youth_multiplied {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(rows > 0, "rows");
  require(updates >= 0, "updates");
  require(0.0 <= decay && decay < 1.0, "decay");
  require(threshold >= 0.0, "threshold");
  const bool grown = static_cast<double>(updates) * (1.0 - decay) > 1.0;
  const double border = grown ? threshold * double(rows) / double(size.size()) : 0.0;
  const Eigen::Array<bool, Eigen::Dynamic, 1> below = size.array() < border;
  return {below.data(), below.data() + below.size()};
}
}  // namespace youth_multiplied
ALTERNATIVE(youth_multiplied, dead_mask)

namespace as_shares {
std::vector<std::int32_t> dead_mask(const DoubleVector& size, std::int64_t rows,
                                    std::int64_t updates, double decay, double threshold) {
  require(rows >= 1 && updates >= 0 && threshold >= 0.0, "arguments");
  require(decay >= 0.0 && decay < 1.0, "decay");
  std::vector<std::int32_t> dead;
  const double expected = double(rows) / double(size.size());
  for (Index k = 0; k < size.size(); ++k) {
    const bool may_die = static_cast<double>(updates) > 1.0 / (1.0 - decay);
    dead.push_back(may_die && size(k) / expected < threshold);
  }
  return dead;
}
}  // namespace as_shares
ALTERNATIVE(as_shares, dead_mask)

// ---- 6.7 revive --------------------------------------------------------------------------------

namespace over_the_order {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  const Index codes = state.codebook.rows(), columns = state.codebook.cols();
  if (static_cast<Index>(dead.size()) != codes || state.average.size.size() != codes)
    throw std::invalid_argument("codes");
  if (state.average.sum.rows() != codes || state.average.sum.cols() != columns)
    throw std::invalid_argument("sums");
  if (z.cols() != columns) throw std::invalid_argument("columns");
  for (const std::int64_t row : order)
    if (row < 0 || row >= z.rows()) throw std::invalid_argument("order");
  EmaCodebook revived = state;
  auto code = std::find_if(dead.begin(), dead.end(), [](std::int32_t flag) { return flag != 0; });
  for (const std::int64_t row : order) {
    if (code == dead.end()) break;
    const Index k = code - dead.begin();
    revived.codebook.row(k) = z.row(row);
    revived.average.size(k) = double(z.rows()) / double(codes);
    revived.average.sum.row(k) = float(z.rows()) / float(codes) * z.row(row);
    code = std::find_if(code + 1, dead.end(), [](std::int32_t flag) { return flag != 0; });
  }
  return revived;
}
}  // namespace over_the_order
ALTERNATIVE(over_the_order, revive)

namespace counted_dead {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  require(shape_of(state.codebook) == shape_of(state.average.sum), "sums");
  require_size(state.average.size.size(), state.codebook.rows(), "sizes");
  require_size(static_cast<Index>(dead.size()), state.codebook.rows(), "dead");
  require_size(z.cols(), state.codebook.cols(), "columns");
  for (const std::int64_t row : order) require(0 <= row && row < z.rows(), "order");
  EmaCodebook revived = state;
  std::size_t next = 0;
  for (std::size_t k = 0; k < dead.size(); ++k) {
    if (dead[k] != 1 || next >= order.size()) continue;
    const auto code = static_cast<Index>(k);
    const RowVector row = z.row(order[next++]);
    const double size = double(z.rows()) / double(dead.size());
    revived.codebook.row(code) = row;
    revived.average.size(code) = size;
    revived.average.sum.row(code) = (size * row.cast<double>()).cast<float>();
  }
  return revived;
}
}  // namespace counted_dead
ALTERNATIVE(counted_dead, revive)

namespace list_of_the_dead {
EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  const Index codes = state.codebook.rows(), columns = state.codebook.cols();
  require(static_cast<Index>(dead.size()) == codes && z.cols() == columns, "mask, rows");
  require(state.average.size.size() == codes, "sizes");
  require(state.average.sum.rows() == codes && state.average.sum.cols() == columns, "sums");
  require(std::all_of(order.begin(), order.end(),
                      [&](std::int64_t row) { return row >= 0 && row < z.rows(); }),
          "order");
  std::vector<Index> places;
  for (Index k = 0; k < codes; ++k)
    if (dead[static_cast<std::size_t>(k)] != 0) places.push_back(k);
  places.resize(std::min(places.size(), order.size()));
  EmaCodebook revived = state;
  for (std::size_t i = 0; i < places.size(); ++i) {
    revived.codebook.row(places[i]) = z.row(order[i]);
    revived.average.size(places[i]) = double(z.rows()) / double(codes);
    revived.average.sum.row(places[i]) = z.row(order[i]) * (float(z.rows()) / float(codes));
  }
  return revived;
}
}  // namespace list_of_the_dead
ALTERNATIVE(list_of_the_dead, revive)

// ---- 6.8 ema_codebook_step ---------------------------------------------------------------------

namespace learned_apart {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  EmaStep step;
  step.output = vq_straight_through(z_e, state.codebook);
  step.commitment =
      vq_losses(0.0, z_e, state.codebook, step.output.indices, options.beta).commitment;
  step.state = state;
  if (training) {
    const ClusterStats average =
        ema_decay(state.average, assignment_stats(z_e, step.output.indices, state.codebook.rows()),
                  options.decay);
    const EmaCodebook learned{codebook_from_ema(average, options.epsilon), average,
                              state.updates + 1};
    step.state = revive(
        learned,
        dead_mask(average.size, z_e.rows(), learned.updates, options.decay, options.threshold), z_e,
        order);
  }
  return step;
}
}  // namespace learned_apart
ALTERNATIVE(learned_apart, ema_codebook_step)

namespace lookup_by_hand {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  require(z_e.size() > 0 && options.beta >= 0.0, "arguments");
  EmaStep step{{Matrix(z_e.rows(), z_e.cols()), nearest_code(z_e, state.codebook)}, 0.0, state};
  for (Index n = 0; n < z_e.rows(); ++n)
    step.output.z_q.row(n) = state.codebook.row(step.output.indices[static_cast<std::size_t>(n)]);
  step.commitment =
      options.beta * (z_e - step.output.z_q).cast<double>().squaredNorm() / double(z_e.size());
  if (!training) return step;
  const ClusterStats batch = assignment_stats(z_e, step.output.indices, state.codebook.rows());
  step.state.average = ema_decay(state.average, batch, options.decay);
  step.state.codebook = codebook_from_ema(step.state.average, options.epsilon);
  ++step.state.updates;
  const auto dead = dead_mask(step.state.average.size, z_e.rows(), step.state.updates,
                              options.decay, options.threshold);
  step.state = revive(step.state, dead, z_e, order);
  return step;
}
}  // namespace lookup_by_hand
ALTERNATIVE(lookup_by_hand, ema_codebook_step)

namespace revived_only_if_needed {
EmaStep ema_codebook_step(const Matrix& z_e, const EmaCodebook& state,
                          const std::vector<std::int64_t>& order, const EmaOptions& options,
                          bool training) {
  VqOutput output = vq_straight_through(z_e, state.codebook);
  const double commitment =
      vq_losses(1.0, z_e, state.codebook, output.indices, options.beta).commitment;
  if (!training) return {output, commitment, state};
  for (const std::int64_t row : order) require(row >= 0 && row < z_e.rows(), "order");
  EmaCodebook next;
  next.updates = state.updates + 1;
  next.average = ema_decay(
      state.average, assignment_stats(z_e, output.indices, state.codebook.rows()), options.decay);
  next.codebook = codebook_from_ema(next.average, options.epsilon);
  const std::vector<std::int32_t> dead =
      dead_mask(next.average.size, z_e.rows(), next.updates, options.decay, options.threshold);
  if (std::count(dead.begin(), dead.end(), 1) > 0) next = revive(next, dead, z_e, order);
  return {output, commitment, next};
}
}  // namespace revived_only_if_needed
ALTERNATIVE(revived_only_if_needed, ema_codebook_step)

// ---- 6.9 kmeans_init ---------------------------------------------------------------------------

namespace in_double {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  if (codebook_size < 1 || iterations < 0) throw std::invalid_argument("numbers");
  if (static_cast<std::int64_t>(order.size()) < codebook_size) throw std::invalid_argument("order");
  for (const std::int64_t row : order)
    if (row < 0 || row >= z.rows()) throw std::invalid_argument("row");
  EmaCodebook state;
  state.codebook = Matrix(codebook_size, z.cols());
  for (Index k = 0; k < codebook_size; ++k)
    state.codebook.row(k) = z.row(order[static_cast<std::size_t>(k)]);
  for (std::int64_t i = 0; i < iterations; ++i) {
    const std::vector<std::int64_t> indices = nearest_code(z, state.codebook);
    for (Index k = 0; k < codebook_size; ++k) {
      Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(z.cols());
      double count = 0.0;
      for (Index n = 0; n < z.rows(); ++n) {
        if (indices[static_cast<std::size_t>(n)] != k) continue;
        sum += z.row(n).cast<double>();
        count += 1.0;
      }
      if (count > 0.0) state.codebook.row(k) = (sum / count).cast<float>();
    }
  }
  state.average.size = DoubleVector::Zero(codebook_size);
  for (const std::int64_t k : nearest_code(z, state.codebook)) state.average.size(k) += 1.0;
  for (double& count : state.average.size) count = count == 0.0 ? 1.0 : count;
  state.average.sum = state.codebook;
  for (Index k = 0; k < codebook_size; ++k)
    state.average.sum.row(k) *= static_cast<float>(state.average.size(k));
  return state;
}
}  // namespace in_double
ALTERNATIVE(in_double, kmeans_init)

namespace counted_iterations {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  require(codebook_size > 0 && iterations >= 0, "numbers");
  require(order.size() >= static_cast<std::size_t>(codebook_size), "order is too short");
  for (const std::int64_t row : order) require(row >= 0 && row < z.rows(), "row");
  Matrix centroids(codebook_size, z.cols());
  for (Index k = 0; k < codebook_size; ++k)
    centroids.row(k) = z.row(order[static_cast<std::size_t>(k)]);
  for (std::int64_t done = 0;; ++done) {
    const ClusterStats rows = assignment_stats(z, nearest_code(z, centroids), codebook_size);
    const DoubleVector size = (rows.size.array() > 0.0).select(rows.size, 1.0);
    if (done == iterations)
      return {centroids, {size, size.cast<float>().asDiagonal() * centroids}, 0};
    for (Index k = 0; k < codebook_size; ++k)
      if (rows.size(k) != 0.0) centroids.row(k) = rows.sum.row(k) / static_cast<float>(size(k));
  }
}
}  // namespace counted_iterations
ALTERNATIVE(counted_iterations, kmeans_init)

namespace stops_when_still {
EmaCodebook kmeans_init(const Matrix& z, std::int64_t codebook_size,
                        const std::vector<std::int64_t>& order, std::int64_t iterations) {
  require(codebook_size >= 1 && iterations >= 0, "numbers");
  require(static_cast<std::int64_t>(order.size()) >= codebook_size, "order is too short");
  for (const std::int64_t row : order) require(row >= 0 && row < z.rows(), "row");
  Matrix centroids(codebook_size, z.cols());
  for (Index k = 0; k < codebook_size; ++k)
    centroids.row(k) = z.row(order[static_cast<std::size_t>(k)]);
  std::vector<std::int64_t> indices = nearest_code(z, centroids);
  while (iterations-- > 0) {
    const ClusterStats rows = assignment_stats(z, indices, codebook_size);
    for (Index k = 0; k < codebook_size; ++k)
      if (rows.size(k) > 0.5) centroids.row(k) = rows.sum.row(k) / float(rows.size(k));
    const std::vector<std::int64_t> before = indices;
    indices = nearest_code(z, centroids);
    if (indices == before) break;  // the next means would be the same
  }
  const DoubleVector size = assignment_stats(z, indices, codebook_size).size.cwiseMax(1.0);
  Matrix sums = centroids;
  sums.array().colwise() *= size.cast<float>().array();
  return {centroids, {size, sums}, 0};
}
}  // namespace stops_when_still
ALTERNATIVE(stops_when_still, kmeans_init)

}  // namespace latent
