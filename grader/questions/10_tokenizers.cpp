// The questions of chapter 10. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <cmath>
#include <cstdio>
#include <string>

#include "grader/judge/question.hpp"

namespace latent::grader {
namespace {

/// A number drawn in steps of 1/100, or the workbook's.
double drawn(Random* random, double low, double high, double printed) {
  return random == nullptr ? printed : std::round(100.0 * random->uniform(low, high)) / 100.0;
}

/// A whole number, drawn or the workbook's.
std::int64_t whole(Random* random, std::int64_t low, std::int64_t high, std::int64_t printed) {
  return random == nullptr ? printed : random->integer(low, high);
}

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

QUESTION(why_tokens) {
  return {"Why do generative models work on what a tokenizer puts out, and not on pixels?",
          Choice{"There are far fewer positions, and what each carries is worth predicting; cost "
                 "grows with the number of positions, for attention with its square.",
                 {"Pixels are integers, which a network cannot predict.",
                  "A tokenizer loses nothing, so the detour is free.",
                  "Pixels have no probability, tokens do.",
                  "A transformer accepts no more than 1,024 inputs."}},
          "256 x 256 pixels are 65,536 positions; a grid of 32 x 32 is 1,024, with 4,096 times "
          "fewer pairs. The detour is not free: what the tokenizer drops, nothing behind it brings "
          "back."};
}

QUESTION(ratio_in_bits) {
  const std::int64_t bits = whole(random, 9, 14, 13);
  const double codes = std::pow(2.0, double(bits));
  return {
      "\"A 256 x 256 image becomes 32 x 32 tokens: 196,608 values to 1,024, a compression of "
      "192.\" How many times fewer bits is it in truth, with 8 bits a value and " +
          text_of(codes) + " codes?",
      Number{1572864.0 / (1024.0 * double(bits)), 1e-3},
      "1,572,864 bits against 1,024 times " + text_of(double(bits)) + ": " +
          text_of(1572864.0 / (1024.0 * double(bits))) +
          ". The 192 counts a token as one value, and a token is worth more than a byte."};
}

QUESTION(table_of_systems) {
  return {
      "Find the error in this table. DALL-E 1: dVAE, 2021. Stable Diffusion: KL-regularised "
      "autoencoder, 2022. MAGVIT-v2: lookup-free quantization, 2023. Cosmos: causal VQ-VAE, "
      "2024.",
      Choice{"Cosmos: its discrete tokenizers use FSQ with levels 8, 8, 8, 5, 5, 5, its "
             "continuous ones are autoencoders. Neither looks up a codebook.",
             {"DALL-E 1: it uses a VQ-VAE.", "Stable Diffusion: its latent is discrete.",
              "MAGVIT-v2: it uses FSQ with 18 levels.", "There is none."}},
      "8 * 8 * 8 * 5 * 5 * 5 = 64,000 codes, none of them stored (cosmos_tokenizer, "
      "networks/configs.py). Causal it is."};
}

QUESTION(dalle_is_called_vqvae) {
  return {"\"DALL-E 1 used a proper VQ-VAE codebook.\" What did it use?",
          Choice{"A dVAE: the encoder predicts a distribution over 8,192 codes, relaxed by "
                 "Gumbel-softmax in training. No nearest code is searched.",
                 {"A VQ-VAE, trained with moving averages.", "Residual quantization in two stages.",
                  "FSQ with 8,192 levels.", "A VAE whose latent is rounded."}},
          "Both end in an index per position, which is why the names get mixed. How the index "
          "comes about, and what the gradient does, has nothing in common."};
}

QUESTION(every_video_model) {
  return {"\"Every video model you have seen? Some flavor of temporal VQ-VAE.\" What is right?",
          Choice{"Most are continuous: Stable Video Diffusion, CogVideoX, Wan, HunyuanVideo, LTX "
                 "and Mochi diffuse the latents of an autoencoder or VAE.",
                 {"It is right: video needs discrete tokens.",
                  "None uses a tokenizer; they work on pixels.",
                  "They use residual quantizers, like audio codecs."}},
          "Discrete tokens belong to models that predict token after token. Diffusion takes "
          "continuous latents as they are."};
}

QUESTION(causal_means) {
  return {
      "\"In a causal tokenizer the latent of frame t depends on frames 0 to t - 1.\" On which "
      "frames does it depend?",
      Choice{"On frames 0 to t, including t; k - 1 frames are put in front, copies of the "
             "first.",
             {"On frames 0 to t - 1, as it says.", "On frames t - 1, t and t + 1.",
              "On frame t alone.", "On all frames, the later ones with smaller weights."}},
      "A tokenizer describes frame t and is given it. \"Up to t - 1\" is what a model depends "
      "on that predicts frame t."};
}

QUESTION(frames_to_pad_to) {
  const std::int64_t groups = whole(random, 5, 15, 8);
  const std::int64_t padded = 4 * groups + 1;
  return {"A causal tokenizer compresses time by 4. \"" + std::to_string(4 * groups) +
              " frames become " + std::to_string(groups) +
              " latent frames\" does not work out. To how many frames does the clip have to be "
              "padded?",
          Number{double(padded), 1e-9},
          "Lengths are 1 + 4 m: " + std::to_string(padded) + " frames, which become " +
              std::to_string(groups + 1) +
              ". The first frame stands alone, so that an image is a clip (NVIDIA/cosmos issue "
              "111, Lightricks/LTX-Video issue 190)."};
}

QUESTION(values_of_a_video) {
  const std::int64_t channels = random == nullptr ? 16 : 4 * random->integer(2, 8);
  const double ratio = 256.0 * 3.0 / double(channels);
  return {
      "\"8 x 8 in space and 4 in time: a combined compression of 256.\" That counts positions. "
      "By what factor does the number of *values* fall in a long clip, from 3 channels to " +
          std::to_string(channels) + "?",
      Number{ratio, 1e-3},
      "256 * 3 / " + std::to_string(channels) + " = " + text_of(ratio) +
          ". In a short clip it is less, since the first frame has a latent frame of its own: "
          "9 frames become 3, not 2.25."};
}

QUESTION(near_perfect) {
  return {
      "\"With 2^18 codes MAGVIT-v2 achieves near-perfect reconstruction.\" What do published "
      "18-bit tokenizers of that kind reach at 256 x 256?",
      Choice{"A reconstruction FID of about 1.17 and a PSNR of about 22 dB: good to look at, "
             "and far from the original pixel by pixel.",
             {"A PSNR above 40 dB.", "A PSNR of 30 dB at a reconstruction FID of 0.",
              "The error is zero, since 18 bits a position are more than 8 bits a pixel."}},
      "Open-MAGVIT2 reports an rFID of 1.17, MaskBit's 18-bit tokenizer 1.16 at about 22 dB "
      "(abstract and model card). A position stands for 16 x 16 pixels: 18 bits for 6,144."};
}

QUESTION(loss_is_negative) {
  const double gamma = drawn(random, 0.3, 0.9, 1.0);
  return {
      "Rows of a lookup-free quantizer are sure of their codes, half of them of (+, +), half "
      "of (-, -). gamma = " +
          text_of(gamma) + ". What is mean entropy of a row minus gamma times the codebook's?",
      Number{-gamma * std::log(2.0), 1e-3},
      "0 - gamma ln 2 = " + text_of(-gamma * std::log(2.0)) +
          ". It is negative and no bug: the smallest possible value is -gamma d ln 2, where "
          "every row is sure and all codes are used equally (vector-quantize-pytorch issue 92 "
          "asks about it)."};
}

QUESTION(who_counts_from_where) {
  return {
      "The codes (+, -, -, +, +), dimension 0 first. Our bits_to_index says 25, another "
      "library 19. Who is right?",
      Choice{"Both: ours takes dimension 0 as the least significant bit, vector-quantize-"
             "pytorch as the most significant. Tokens cannot be exchanged without turning "
             "them around.",
             {"Ours: 19 has only four bits.", "The other: bits are read from left to right.",
              "Neither: the index is the number of ones, 3."}},
      "10011 read from the left is 16 + 2 + 1 = 19, from the right 1 + 8 + 16 = 25. Round "
      "trips within one library hold in either order, so only a worked number can tell."};
}

QUESTION(commitment_that_vanishes) {
  return {
      "A residual quantizer subtracts its straight-through output, r - (r + sg[e - r]), and "
      "hands the rest on. What becomes of the commitment terms of the later stages?",
      Choice{"Their value is right and their gradient 0: the rest does not depend on x any "
             "more.",
             {"They count twice.", "Their value is 0 as well.",
              "Nothing: the rest has the same value, hence the same gradient.",
              "They pull on the codes in place of x."}},
      "1 - 1 = 0. EnCodec was published like that and keeps it for reproducibility (issue 25); "
      "vector-quantize-pytorch detaches the code (issue 33). The printed loss is the same."};
}

QUESTION(kilobits) {
  const std::int64_t stages = random == nullptr ? 8 : random->integer(3, 20);
  const double rate = 0.75 * double(stages);
  return {
      "An audio codec with 24,000 samples per second, 320 samples per frame and 1,024 codes per "
      "stage uses " +
          std::to_string(stages) + " stages. How many kbit/s is that?",
      Number{rate, 1e-6},
      "75 frames times " + std::to_string(stages) + " indices times 10 bits: " + text_of(rate) +
          " kbit/s."};
}

QUESTION(snippet_of_the_loss) {
  return {
      "Find what is missing. \"loss = 1.0 * l1(x, x_hat) + 1.0 * perceptual(x, x_hat) + 0.5 * "
      "adversarial(x_hat) + 1e-6 * kl\" is said to be what Stable Diffusion's autoencoder was "
      "trained with.",
      Choice{"The weights are right, the reductions are not said: L1 and KL are summed over an "
             "image, the perceptual distance is added at every element and so counts C H W "
             "times, and the 0.5 multiplies an adaptive weight that starts after 50,000 steps.",
             {"The KL weight is 1, not 1e-6.", "There is no adversarial term.",
              "It uses squared errors, not L1.", "Nothing: that is the loss."}},
      "ldm/modules/losses/contperceptual.py. It also divides by exp(logvar) and adds logvar, a "
      "parameter that no optimizer of theirs is given, so it stays 0 (PKU-YuanGroup/Open-Sora-"
      "Plan issue 314)."};
}

QUESTION(share_of_the_distance) {
  const double l1 = drawn(random, 0.04, 0.12, 0.05);
  const double total = 196608.0 * (l1 + 0.2);
  return {"A 256 x 256 image with a mean absolute error of " + text_of(l1) +
              " and a perceptual distance of 0.2, s = 0. What does the reconstruction term of that "
              "loss come to?",
          Number{total, 1e-3},
          "196,608 (" + text_of(l1) + " + 0.2) = " + text_of(total) +
              ". Counted once, the distance "
              "would be lost in the sum: " +
              text_of(196608.0 * l1 + 0.2) + "."};
}

QUESTION(design_for_30_db) {
  return {
      "Design challenge: f = 8, 4 channels, KL-regularised, at most 100 million parameters, at "
      "most 8 GB, PSNR above 30 dB. Which of the targets does Stable Diffusion's own "
      "autoencoder meet?",
      Choice{"Parameters (83.65 million) and memory. The PSNR cannot be computed, and no "
             "published tokenizer of this kind and factor reaches 30 dB: the best of the "
             "latent-diffusion table has 24.19.",
             {"All of them.", "None of them.",
              "Parameters and PSNR; 8 GB are not enough for 256 x 256.",
              "Memory and PSNR; it has 860 million parameters."}},
      "Even f = 4 is published with 27.53 dB. Whoever asks for 30 dB at f = 8 has to say how "
      "many channels may be spent, and should train before promising."};
}

QUESTION(attention_from_8_to_16) {
  return {
      "\"Each doubling of f cuts the diffusion model's cost by 4.\" That is right for "
      "convolutions. By what factor do attention's scores fall from f = 8 to f = 16?",
      Number{16.0, 1e-9},
      "A quarter of the positions makes a sixteenth of the pairs. The number of channels of "
      "the latent enters neither: only the first and the last convolution see it."};
}

QUESTION(diffusing_discrete_latents) {
  return {
      "\"With a discrete codebook, diffusion would need dequantization noise or a discrete "
      "formulation.\" What does latent diffusion do with a VQ first stage?",
      Choice{"It diffuses the latents before quantization, and quantizes as the first step of "
             "decoding.",
             {"It adds uniform noise of half a code's width.", "It diffuses one-hot vectors.",
              "It cannot be done, so there is no such model.",
              "It diffuses the indices as real numbers."}},
      "The lookup becomes the first layer of the decoder (VQModelInterface in "
      "CompVis/latent-diffusion)."};
}

}  // namespace latent::grader
