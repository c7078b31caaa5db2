/// @file
/// Comes before every file that calls exercises. Turns an Eigen assertion into a sentence instead
/// of an abort, and lets a matrix that nobody initialised be seen.
#pragma once

#include <stdexcept>

namespace latent::grader {

/// An Eigen assertion that failed.
struct EigenMisuse : std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] inline void eigen_misused(const char* condition) {
  throw EigenMisuse(condition);
}

}  // namespace latent::grader

#define eigen_assert(condition) \
  ((condition) ? static_cast<void>(0) : ::latent::grader::eigen_misused(#condition))
#define EIGEN_INITIALIZE_MATRICES_BY_NAN
