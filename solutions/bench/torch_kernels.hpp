/// @file
/// PyTorch's side of each row: the code that one would write with its tensors.
#pragma once

#include "contest.hpp"
#include "inputs.hpp"

namespace latent {

/// @return  The usual spellings of the same result, out of tensors that are made beforehand.
Contenders rivals(const NearestInput& in);
Contenders rivals(const FsqInput& in);
Contenders rivals(const EmaInput& in);
Contenders rivals(const VaeInput& in);
Contenders rivals(const TaeInput& in);
Contenders rivals(const LinearInput& in);
Contenders rivals(const GaussianInput& in);
Contenders rivals(const BceInput& in);
Contenders rivals(const AdamInput& in);
Contenders rivals(const AssignedInput& in);
Contenders rivals(const LfqInput& in);
Contenders rivals(const RvqInput& in);
Contenders rivals(const NoiseInput& in);

/// @return  "1.13.1".
std::string torch_version();

}  // namespace latent
