/// @file
/// The numbers worked in the chapters, computed by the reference solutions. Each is given as the
/// chapter prints it: the test fails if the text is not there, or if the function yields another
/// number than its digits say. One file per chapter.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include "common/types.hpp"

namespace latent {

/// The text of one chapter, docs/handbook/NAME.md.
class Chapter {
 public:
  explicit Chapter(const std::string& name) {
    std::ifstream file(std::string(HANDBOOK) + "/" + name + ".md");
    std::ostringstream all;
    all << file.rdbuf();
    text_ = all.str();
  }

  void prints(const std::string& words) const {
    EXPECT_NE(text_.find(words), std::string::npos) << words << " is not in the chapter";
  }

  /// Does the chapter print this number, and is it `value` to the last digit printed?
  void states(const std::string& number, double value) const {
    prints(number);
    std::string plain = number;
    plain.erase(std::remove(plain.begin(), plain.end(), ','), plain.end());
    const std::size_t point = plain.find('.');
    const auto decimals =
        point == std::string::npos ? 0 : static_cast<int>(plain.size() - point - 1);
    // Results are float: beyond seven digits they cannot agree.
    const double tolerance = std::max(0.501 * std::pow(10.0, -decimals), 1e-6 * std::abs(value));
    EXPECT_NEAR(std::stod(plain), value, tolerance);
  }

 private:
  std::string text_;
};

inline Matrix one(float value) {
  return Matrix::Constant(1, 1, value);
}

}  // namespace latent
