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

/// Starts the program anew where OpenBLAS, which looks around when it is loaded, saw the wrong
/// machine: more processors than this process shall have, or a Prescott of 2004, as which older
/// releases take every newer processor. For the latter it sets `OPENBLAS_CORETYPE`, unless it is
/// set. Returns if there is nothing to change, so that the program started anew goes on.
/// @param argv   As main received them.
/// @param cores  On how many processors to run from now on; 0: on those that there are.
/// @throws std::runtime_error  if there are not so many.
void wake_openblas(char** argv, int cores = 0);

/// @param threads  For the products from now on, if OpenBLAS makes them.
void set_blas_threads(int threads);

}  // namespace latent
