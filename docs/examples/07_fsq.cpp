// The calls that the chapter on lab 07 shows. Compiled with the handbook,
// so that they cannot go stale.

#include "fsq.hpp"

namespace {

using namespace latent;

double geometry() {
  //! [level_geometry]
  const LevelGeometry g = level_geometry(4);
  // g.half_width, g.offset, g.half_l, g.shift
  //! [level_geometry]
  return g.shift;
}

Matrix bound(const Matrix& z, const Matrix& dbounded) {
  //! [fsq_bound]
  const Levels levels{8, 5, 5, 5};
  const Matrix bounded = fsq_bound(z, levels);
  const Matrix dz = fsq_bound_backward(dbounded, z, levels);
  //! [fsq_bound]
  return bounded + dz;
}

Matrix quantize(const Matrix& z, const Matrix& dcodes,
                const Levels& levels) {
  //! [fsq_quantize]
  const Matrix codes = fsq_quantize(z, levels);
  const Matrix dz = fsq_quantize_backward(dcodes, z, levels);
  //! [fsq_quantize]
  return codes + dz;
}

Matrix symmetric(const Matrix& z, const Matrix& dcodes,
                 const Levels& levels) {
  //! [symmetric_quantize]
  const Matrix codes = symmetric_quantize(z, levels);
  const Matrix dz = symmetric_quantize_backward(dcodes, z, levels);
  //! [symmetric_quantize]
  return codes + dz;
}

std::int64_t number(const Matrix& codes, const Levels& levels) {
  //! [codes_to_index]
  const auto tokens = codes_to_index(codes, levels);
  const std::int64_t vocabulary = fsq_codebook_size(levels);
  //! [codes_to_index]
  return tokens[0] + vocabulary;
}

Matrix back(const std::vector<std::int64_t>& tokens, const Levels& levels) {
  //! [index_to_codes]
  const Matrix codes = index_to_codes(tokens, levels);
  //! [index_to_codes]
  return codes;
}

Matrix some_rows() {
  //! [implicit_codebook]
  const Levels levels(16, 4);  // 4^16 codes
  const Matrix rows =
      implicit_codebook(levels, /*first=*/1000000, /*count=*/3);
  //! [implicit_codebook]
  return rows;
}

}  // namespace
