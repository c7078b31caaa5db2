#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {
namespace {

void require_fitting(const EmaCodebook& state, const std::vector<std::int32_t>& dead,
                     const Matrix& z, const std::vector<std::int64_t>& order) {
  const Index codes = state.codebook.rows(), dimension = state.codebook.cols();
  require_size(state.average.size.size(), codes, "revive: sizes");
  require_size(state.average.sum.rows(), codes, "revive: sums");
  require_size(state.average.sum.cols(), dimension, "revive: columns of the sums");
  require_size(static_cast<Index>(dead.size()), codes, "revive: elements of dead");
  require_size(z.cols(), dimension, "revive: columns of z");
  for (const std::int64_t row : order) {
    require(row >= 0 && row < z.rows(), "revive: expected a row number below " +
                                            std::to_string(z.rows()) + ", got " +
                                            std::to_string(row));
  }
}

}  // namespace

EmaCodebook revive(const EmaCodebook& state, const std::vector<std::int32_t>& dead, const Matrix& z,
                   const std::vector<std::int64_t>& order) {
  require_fitting(state, dead, z, order);
  EmaCodebook revived = state;
  const double share = static_cast<double>(z.rows()) / static_cast<double>(dead.size());
  auto row = order.begin();
  for (Index k = 0; k < revived.codebook.rows() && row != order.end(); ++k) {
    if (dead[static_cast<std::size_t>(k)] == 0) continue;
    revived.codebook.row(k) = z.row(*row++);
    revived.average.size(k) = share;
    // Without this line the next update divides the old sum, and the old code is back.
    revived.average.sum.row(k) = static_cast<float>(share) * revived.codebook.row(k);
  }
  return revived;
}

}  // namespace latent
