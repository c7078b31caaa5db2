#include "grader/tests/fake_lab.hpp"

#include "common/require.hpp"
#include "grader/judge/property.hpp"

namespace latent {

Matrix fake_twice(const Matrix& x) {
  require(x.cols() > 0, "fake_twice: expected at least 1 column, got 0");
  return 2.0F * x;
}

Matrix fake_after(const Matrix& x) {
  return x.array() + 1.0F;
}

}  // namespace latent

namespace latent::grader {

DEFINES(fake_twice, "is twice x") {
  const Index n = draw.size("N", 1, 6), d = draw.size("D", 1, 6);
  const Matrix x = draw.matrix("x", n, d);
  expect_near("y", ASK(fake_twice, x), Oracle(2.0 * x.cast<double>()));
}

PROPERTY(fake_twice, "gives an empty batch for an empty batch") {
  const Index d = draw.size("D", 1, 6);
  expect_near("y", ASK(fake_twice, Matrix(0, d)), Oracle(0, d));
}

PROPERTY(fake_twice, "refuses a matrix without columns") {
  after("is twice x");
  expect_refused(REPLY(fake_twice, Matrix(2, 0)), "x has no columns");
}

DEFINES(fake_after, "is x plus one") {
  const Matrix x = draw.matrix("x", draw.size("N", 1, 4), 2);
  expect_near("y", ASK(fake_after, x), Oracle(x.cast<double>().array() + 1.0));
}

PROPERTY(fake_after, "is 1 at 0") {
  expect_near("y", ASK(fake_after, Matrix(Matrix::Zero(1, 1))), Oracle(Oracle::Ones(1, 1)));
}

PROPERTY(fake_after, "is 0 at -1") {
  expect_near("y", ASK(fake_after, Matrix(-Matrix::Ones(1, 1))), Oracle(Oracle::Zero(1, 1)));
}

PROPERTY(fake_after, "is 2 at 1") {
  expect_near("y", ASK(fake_after, Matrix(Matrix::Ones(1, 1))), Oracle(2.0 * Oracle::Ones(1, 1)));
}

const Lab& fake_lab() {
  static const Lab lab{
      kFakeLab,
      "Fake",
      {{"99.1", "fake_twice", Kind::kCore, 6, {}, {OPERATION(fake_twice)}},
       {"99.2", "fake_after", Kind::kStretch, 5, {"99.1"}, {OPERATION(fake_after)}}}};
  return lab;
}

}  // namespace latent::grader
