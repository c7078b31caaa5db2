#include "common/require.hpp"
#include "vq_straight_through.hpp"

namespace latent {

Matrix rows_from_nchw(const Tensor4& z) {
  Matrix rows(z.n() * z.h() * z.w(), z.c());
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) rows((n * z.h() + h) * z.w() + w, c) = z(n, c, h, w);
      }
    }
  }
  return rows;
}

Tensor4 nchw_from_rows(const Matrix& rows, const Shape& shape) {
  require_size(static_cast<std::ptrdiff_t>(shape.size()), 4, "nchw_from_rows: sizes in shape");
  Tensor4 z(shape[0], shape[1], shape[2], shape[3]);  // refuses negative sizes
  require_size(rows.rows(), z.n() * z.h() * z.w(), "nchw_from_rows: rows");
  require_size(rows.cols(), z.c(), "nchw_from_rows: columns of rows");
  for (Index n = 0; n < z.n(); ++n) {
    for (Index c = 0; c < z.c(); ++c) {
      for (Index h = 0; h < z.h(); ++h) {
        for (Index w = 0; w < z.w(); ++w) z(n, c, h, w) = rows((n * z.h() + h) * z.w() + w, c);
      }
    }
  }
  return z;
}

}  // namespace latent
