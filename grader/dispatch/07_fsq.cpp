#include "fsq.hpp"
#include "grader/wire/dispatch.hpp"

namespace latent::grader {
namespace {

const Registration registration({
    "07_fsq",
    "Finite scalar quantization",
    {
        {"7.1", "level_geometry", Kind::kCore, 12, {}, {OPERATION(level_geometry)}},
        {"7.2", "fsq_bound", Kind::kCore, 16, {"7.1"}, {OPERATION(fsq_bound), OPERATION(fsq_bound_backward)}},
        {"7.3", "fsq_quantize", Kind::kCore, 16, {"7.1", "7.2"}, {OPERATION(fsq_quantize), OPERATION(fsq_quantize_backward)}},
        {"7.4", "codes_to_index", Kind::kCore, 16, {}, {OPERATION(fsq_codebook_size), OPERATION(codes_to_index)}},
        {"7.5", "index_to_codes", Kind::kCore, 12, {"7.4"}, {OPERATION(index_to_codes)}},
        {"7.6", "implicit_codebook", Kind::kCore, 12, {"7.4", "7.5"}, {OPERATION(implicit_codebook)}},
        {"7.7", "symmetric_quantize", Kind::kStretch, 14, {}, {OPERATION(symmetric_quantize), OPERATION(symmetric_quantize_backward)}},
    },
});

}  // namespace
}  // namespace latent::grader
