// Defines the worker's own functions a second time, strong where the worker's are weak, so that
// every outcome is "a value".
// verdict: fail crashed
// costs: neighbours, since their answers go through these too

#include <cstdint>
#include <string>
#include <vector>

#include "autoencoder.hpp"

namespace latent::grader {
struct Value;
struct Operation;
struct Request;
struct Lab;
struct Reply;
// Same mangled names as the worker's; the bodies never answer.
void answer(const Operation&, const std::vector<Value>&, std::string&) {}
void to_frame(const Reply&, std::uint32_t) {}
void labs() {}
struct ValueReader {
  const Value& next();
  void expect_end() const;
};
void ValueReader::expect_end() const {}
}  // namespace latent::grader

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent
