/// @file
/// How close to double-precision loops a kernel's floats have to be.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace latent {

/// Each number within `tolerance` times the largest one expected; NaN fails.
/// @param got        What the device said.
/// @param expected   What a loop in double says.
/// @param what       Names the case, for the message.
/// @param tolerance  Relative to the largest, or to 1 if that is smaller.
template <class T>
void expect_close(const std::vector<T>& got, const std::vector<double>& expected,
                  const std::string& what, double tolerance = 2e-6) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  double scale = 1.0;
  for (const double x : expected) scale = std::max(scale, std::abs(x));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(static_cast<double>(got[i]) - expected[i]);
    if (!(error <= tolerance * scale)) {
      FAIL() << what << ": element " << i << " of " << got.size() << " is " << got[i]
             << ", expected " << expected[i];
    }
  }
}

}  // namespace latent
