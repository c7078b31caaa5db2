// 9.7 trace_pipeline: image to image, every stage on record.  Roughly 60 lines, best cut into four
// functions: check, encode, denoise, decode.
// The contract is in denoising_step.hpp. Try it: ./lab grade 9.7    Stuck: ./lab hint 9.7

#include "common/require.hpp"
#include "denoising_step.hpp"

namespace latent {

PipelineTrace trace_pipeline(const Matrix& x, const LinearCodec& codec,
                             const PipelineOptions& options, const DoubleVector& alphas_cumprod,
                             const Matrix& posterior_noise, const Matrix& noise) {
  // Draw the stages as boxes first, and write the shape on each arrow. Between which two boxes is
  // the scale multiplied, between which is it divided, and on which side of them is the noise
  // added? Of S timesteps a part is run. Is it the beginning of the list or its end?
  return todo(x, codec, options, alphas_cumprod, posterior_noise, noise);
}

}  // namespace latent
