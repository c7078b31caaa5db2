/// @file
/// Which library multiplies matrices in this process: a comparison says so, or it says nothing.
#pragma once

#include <string>

namespace latent {

/// The library behind sgemm, for this program and for PyTorch.
struct Blas {
  bool found = false;     ///< Some BLAS is loaded.
  bool openblas = false;  ///< It is OpenBLAS, and not the slow reference.
  std::string name;       ///< For people: "OpenBLAS, SkylakeX kernels, 2 threads".
};

/// @return  What is loaded. Throws nothing.
Blas blas_in_use();

/// Starts the program anew where OpenBLAS took the processor for a Prescott of 2004, as older
/// releases take every newer one: with `OPENBLAS_CORETYPE`, which it reads when it is loaded.
/// Leaves that variable alone if it is set.
/// @param argv  As main received them.
void wake_openblas(char** argv);

/// @param threads  For the products from now on, if OpenBLAS makes them.
void set_blas_threads(int threads);

}  // namespace latent
