// The questions of chapter 09. With a generator the numbers are drawn; without one they are those
// of the workbook.

#include <algorithm>
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

std::int64_t drawn_whole(Random* random, std::int64_t low, std::int64_t high,
                         std::int64_t printed) {
  return random == nullptr ? printed : random->integer(low, high);
}

std::string text_of(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

}  // namespace

QUESTION(what_a_denoiser_puts_out) {
  return {
      "A latent diffusion model is called with x_t of shape [1, 4, 64, 64] and t = 500. What does "
      "it "
      "put out?",
      Choice{"A tensor [1, 4, 64, 64] that stands for the noise, the clean latent or v, depending "
             "on how it was trained.",
             {"An image of 512 x 512 pixels.", "The latent of timestep 499.",
              "The noise, whatever the configuration says: hence the name noise_pred.",
              "The clean image at a resolution of 64 x 64, in four channels."}},
      "Pixels come from the decoder, the next latent from the scheduler. What the tensor means is "
      "written in the configuration, in prediction_type, and nowhere in the tensor."};
}

QUESTION(who_does_what) {
  return {
      "model_output = unet(x_t, t); x = scheduler.step(model_output, t, x_t). Somebody wants to "
      "sample with 20 steps in place of 50, and with fresh noise. What has to be trained again?",
      Choice{
          "Nothing: timesteps, noise and the update belong to the scheduler. It has to know only "
          "what the model's output means.",
          {"The model, because it has learned steps of a certain length.",
           "The model, because it has to put out more noise per step.",
           "The last layer, which is scaled by the number of steps.",
           "The autoencoder, because its latents have another scale for 20 steps."}},
      "The model answers one question: what is in this latent, at this noise level? How far to go "
      "with the answer is decided elsewhere. That is why a model has one prediction type and any "
      "number of samplers."};
}

QUESTION(one_step_is_no_generator) {
  const double a = drawn(random, 0.2, 0.4, 0.28), next = a + 0.01;
  const double weight = std::sqrt(next) * (1.0 - a / next) / (1.0 - a);
  return {
      "A DDPM step goes from a timestep with a = " + text_of(a) +
          " to one with a' = " + text_of(next) +
          ". With which weight does x_0, the model's idea of the clean latent, enter?",
      Number{weight, 1e-3},
      "sqrt(a') (1 - a / a') / (1 - a) = " + text_of(weight) +
          ". Nearly all of the new latent is the old one. One step is no generator: the image is "
          "made by many of them, each of which asks the model anew."};
}

QUESTION(read_as_epsilon) {
  const double a = drawn(random, 0.16, 0.64, 0.25), x0 = 1.0 + (1.0 - a) / std::sqrt(a);
  return {
      "a = " + text_of(a) +
          ", x_0 = 1 and eps = 0. A model that predicts v puts out exactly the right v. The "
          "scheduler takes it for epsilon. Which x_0 does it find?",
      Number{x0, 1e-3},
      "x_t = sqrt(a), v = -sqrt(1 - a), so (x_t - sqrt(1 - a) v) / sqrt(a) = 1 + (1 - a) / sqrt(a) "
      "= " +
          text_of(x0) + ". No shape is wrong and nothing is refused."};
}

QUESTION(a_test_that_cannot_see) {
  return {
      "A test of the conversion takes x_0 = 0.7 and eps = -1.3 at t = 500 of Stable Diffusion's "
      "schedule (a = 0.2763) and allows an error of 0.05. It passes although v is taken for "
      "epsilon. Why?",
      Choice{"For these numbers v is -1.279, nearly eps: the confusion moves x_0 from 0.7 to 0.666 "
             "only.",
             {"v and epsilon are the same at t = 500 for all latents.",
              "a is below 1/2 there, so x_0 does not matter any more.",
              "x_t is negative, and the error of one element cancels that of the other.",
              "The conversion does not depend on what the model puts out."}},
      "v = sqrt(a) eps - sqrt(1 - a) x_0 = 0.5257 (-1.3) - 0.8507 (0.7) = -1.2789. It is a "
      "coincidence of three numbers, and it is enough to make a test worthless. Take x_0 = 1, eps "
      "= "
      "0: v is -sqrt(1 - a), as far from 0 as it gets."};
}

QUESTION(said_of_the_sign) {
  return {
      "Who is right? A report says: \"The Euler scheduler's x_0 for v prediction is x / (sigma^2 + "
      "1) - v sigma / sqrt(sigma^2 + 1). In the EDM paper, c_out is + sigma / sqrt(sigma^2 + 1). "
      "The "
      "sign is wrong.\"",
      Choice{"The scheduler: v = sqrt(a) eps - sqrt(1 - a) x_0 points to the noise, so it is "
             "subtracted. "
             "The paper's network has the other sign.",
             {"The report: c_out is positive in the paper, and the paper defines it.",
              "Both: the sign does not matter, because the model can learn either.",
              "The report, but only for the last step, where sigma' is 0.",
              "Neither: x_0 does not depend on v in sigma space."}},
      "Put a = 1 / (sigma^2 + 1) into x_0 = sqrt(a) x_t - sqrt(1 - a) v with x_t = sqrt(a) x: a x "
      "- "
      "sqrt(1 - a) v, and sqrt(1 - a) = sigma / sqrt(sigma^2 + 1). This is huggingface/diffusers "
      "issue 1481. Its question about a second-order correction is another matter: that is Heun's "
      "method, not Euler's."};
}

QUESTION(said_of_the_root) {
  return {
      "Who is right? Another report: \"With sigma^2 = (1 - a) / a, the Euler scheduler's x_0 is a "
      "x "
      "- sqrt(1 - a) v. The DDIM scheduler has sqrt(a) x - sqrt(1 - a) v. A root is missing.\"",
      Choice{
          "Both schedulers: Euler's x is x_0 + sigma eps, DDIM's is sqrt(a) times that. The second "
          "root is in the sample.",
          {"The report: the same model cannot have two formulas.",
           "The Euler scheduler: it is DDIM that has a root too many.",
           "The report, unless sigma is below 1.",
           "Both are approximations; the difference vanishes with many steps."}},
      "sqrt(a) x_t = sqrt(a) sqrt(a) x = a x. The model is given x / sqrt(sigma^2 + 1) = x_t by "
      "scale_model_input, the step is given x. huggingface/diffusers issue 7046; the answer there "
      "is the same."};
}

QUESTION(where_the_step_goes) {
  const std::int64_t steps = drawn_whole(random, 3, 14, 13);
  const std::int64_t second = std::llrint(1000.0 * double(steps - 1) / double(steps)) - 1;
  return {"Trailing spacing, 1000 timesteps, " + std::to_string(steps) +
              " steps. The first step starts at 999. To which timestep does it have to go?",
          Number{double(second), 1e-9},
          "To the next one in the list, round(1000 - 1000/" + std::to_string(steps) +
              ") - 1 = " + std::to_string(second) + ". 999 - 1000 // " + std::to_string(steps) +
              " = " + std::to_string(999 - 1000 / steps) +
              (999 - 1000 / steps == second
                   ? " happens to be the same here"
                   : " is what a scheduler computes that does not look there") +
              " (huggingface/diffusers issues 9261, 11347, 12633)."};
}

QUESTION(what_goldens_do_not_see) {
  return {
      "The sums 172.0067, 52.5302, 149.8295, 149.0784 and 354.5418 are what five sampling loops of "
      "a "
      "well-known library's tests end with. Your DDIM step gives all five. Which mistake can still "
      "be in it?",
      Choice{"x_0 is never clipped.",
             {"prev is always t - 1.", "The sign of v is flipped.", "final_alpha is always 1.",
              "eps is taken for x_0."}},
      "In those loops x_0 never leaves [-1, 1] by enough to matter: without the clip every digit "
      "is "
      "the same, and so is it if eps is derived again. Each of the other four changes one sum at "
      "least. A golden number says that something happened as before, not that everything is "
      "right; "
      "a test of the clip needs an x_0 of 3."};
}

QUESTION(strength_in_steps) {
  const std::int64_t steps = 2 * drawn_whole(random, 3, 20, 12) + 1;
  const double strength = random == nullptr ? 0.75 : 0.25 * double(random->integer(1, 3));
  return {
      "Image to image with " + std::to_string(steps) + " steps and strength " + text_of(strength) +
          ". How many times is the denoiser asked?",
      Number{std::floor(double(steps) * strength), 1e-9},
      "floor(" + std::to_string(steps) + " * " + text_of(strength) +
          "): the first timesteps are left out, and the noise of the first one that is run is "
          "added "
          "to the latent before. A sketch that goes from encode straight to the loop leaves that "
          "out."};
}

QUESTION(what_an_oracle_forgives) {
  return {
      "A pipeline is tested with a denoiser that knows the scaled latent, and decode(encode(x)) "
      "comes back to the last digit. Which mistake can still be in it?",
      Choice{
          "The latent is divided by the scale on the way in and multiplied by it on the way out.",
          {"The denoiser puts out v, and the scheduler takes it for epsilon.",
           "The latent is decoded without being unscaled.",
           "The last step goes to a_0 and leaves noise.",
           "The shift is subtracted on the way in and forgotten on the way out."}},
      "Two mistakes that undo each other pass any test that looks at the two ends only; so does "
      "noise that was added before scaling, or not at all, because the oracle calls noise whatever "
      "is not the answer. Look at the stages: the scaled latent should have a deviation of about "
      "1."};
}

QUESTION(shifted_twice) {
  const double k = drawn(random, 2.0, 4.0, 3.0), once = k * 0.001 / (1.0 + (k - 1.0) * 0.001);
  const double twice = k * once / (1.0 + (k - 1.0) * once);
  return {
      "A flow sampler's smallest share of noise is 0.001 before the shift, and the shift is " +
          text_of(k) +
          ". The scheduler remembers the shifted value, lays its steps out down to that, and "
          "shifts "
          "again. What is its last share before 0?",
      Number{twice, 1e-3},
      "Once: " + text_of(once) + ", twice: " + text_of(twice) +
          ". huggingface/diffusers issue 13243, open when this was written. More of the noise than "
          "was meant is taken away in the very last step."};
}

QUESTION(min_snr_for_v) {
  const double a = drawn(random, 0.05, 0.45, 0.2), r = a / (1.0 - a);
  return {
      "Min-SNR weights with gamma = 5, a model that predicts v, a timestep with a = " + text_of(a) +
          ". What is the weight of its squared error?",
      Number{r / (r + 1.0), 1e-3},
      "r = a / (1 - a) = " + text_of(r) + ", below gamma, so r / (r + 1) = a = " + text_of(a) +
          ". With the 1 added above as well it would be 1 at every noisy timestep "
          "(huggingface/diffusers issue 5654). A report that the right weights vanish at the noisy "
          "end (issue 9451) describes them correctly."};
}

QUESTION(no_noise_at_the_end) {
  return {
      "A schedule is rescaled so that its last a is 0. The model predicts epsilon. What is x_0 at "
      "the last timestep?",
      Choice{"It cannot be found: x_t is eps there, and the right prediction says nothing of x_0.",
             {"0, the mean of all latents.", "x_t, because nothing is left to be removed.",
              "eps, since sqrt(1 - a) is 1.", "(x_t - eps) / 1e-8, as long as it is clipped."}},
      "(x_t - eps) / 0 is 0 / 0. Such a schedule needs a model that predicts v, which is -x_0 "
      "there, or x_0 itself."};
}

}  // namespace latent::grader
