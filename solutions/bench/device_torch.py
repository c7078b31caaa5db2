#!/usr/bin/env python3
"""The rows of device_bench in PyTorch, eager and compiled, on the GPU that is here.

    device_torch.py FILE      writes {row: {"eager": milliseconds, "compiled": milliseconds}}

Each row is what one would write in PyTorch, on inputs of the same size that lie on the GPU. Rows are
called as device_rows.cpp calls them; nearest_code's is the faster of its two usual spellings.
"""

import json
import statistics
import sys

import torch
import torch.nn.functional as F

REPETITIONS, LEAST_SECONDS = 7, 0.05


def milliseconds(run):
    """The median of the repetitions, in milliseconds a call."""

    def timed(calls):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(calls):
            run()
        end.record()
        torch.cuda.synchronize()
        return begin.elapsed_time(end)

    run(), run()
    calls = 1
    while timed(calls) < 1e3 * LEAST_SECONDS:
        calls *= 2
    return statistics.median(timed(calls) / calls for _ in range(REPETITIONS))


def normal(*shape):
    return torch.randn(*shape, device="cuda")


def nearest(n, k, d):
    z, e = normal(n, d), normal(k, d)

    def by_distance(z, e):
        return torch.cdist(z, e).argmin(1)

    def by_product(z, e):
        return torch.addmm((e * e).sum(1), z, e.t(), alpha=-2).argmin(1)

    return [(by_distance, (z, e)), (by_product, (z, e))]


def element_wise(n, d):
    a, b, c = normal(n, d), normal(n, d), normal(n, d)
    quarter = torch.full((n, d), 0.25, device="cuda")
    parameter = torch.nn.Parameter(normal(n * d))
    parameter.grad = normal(n * d)
    adam = torch.optim.Adam([parameter], fused=True)

    def reparameterize(mu, log_var, eps):
        return mu + torch.exp(0.5 * log_var) * eps

    def kl(mu, log_var):
        value = 0.5 * (mu * mu + torch.expm1(log_var) - log_var).sum(1).mean()
        return value, mu / n, 0.5 * torch.expm1(log_var) / n

    def bce(logits, x):
        value = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / n
        return value, (torch.sigmoid(logits) - x) / n

    return {
        f"reparameterize {n}x{d}": [(reparameterize, (a, b, c))],
        f"kl_standard_normal {n}x{d}": [(kl, (a, b))],
        f"bce_with_logits {n}x{d}": [(bce, (a, quarter))],
        f"adam_step {n * d}": [(adam.step, ())],
    }


def vae_step(batch):
    """Lab 04's step: squared error and KL, Adam."""
    layers = torch.nn.ModuleList(
        torch.nn.Linear(i, o) for i, o in [(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)]
    ).cuda()
    adam = torch.optim.Adam(layers.parameters(), lr=1e-3, fused=True)
    x, eps = normal(batch, 784), normal(batch, 20)

    def step(x, eps):
        h = torch.tanh(layers[0](x))
        mu, log_var = layers[1](h), layers[2](h)
        z = mu + torch.exp(0.5 * log_var) * eps
        x_hat = layers[4](torch.tanh(layers[3](z)))
        kl = 0.5 * (mu * mu + torch.expm1(log_var) - log_var).sum()
        loss = (((x_hat - x) ** 2).sum() + kl) / batch
        adam.zero_grad()
        loss.backward()
        adam.step()

    return [(step, (x, eps))]


def vq(n, k, d):
    z, e, indices = normal(n, d), normal(k, d), torch.randint(k, (n,), device="cuda")

    def gradients(z, e, indices):
        pull = (z - e[indices]) * (2.0 / (n * d))
        return 0.25 * pull, torch.zeros_like(e).index_add_(0, indices, -pull)

    def stats(z, indices):
        sums = torch.zeros(k, d, device="cuda").index_add_(0, indices, z)
        return torch.bincount(indices, minlength=k), sums

    return {
        f"vq_gradients {n}x{k}x{d}": [(gradients, (z, e, indices))],
        f"assignment_stats {n}x{k}x{d}": [(stats, (z, indices))],
    }


def tokens(n):
    levels = torch.tensor([8, 8, 8, 5, 5, 5], device="cuda")
    half = (levels - 1) * 1.001 / 2
    offset = torch.where(levels % 2 == 0, 0.5, 0.0)
    shift, width = torch.atanh(offset / half), levels // 2
    basis = torch.cumprod(torch.cat([torch.ones_like(levels[:1]), levels[:-1]]), 0)
    places = 2 ** torch.arange(18, device="cuda")

    def fsq(z):
        codes = torch.round(torch.tanh(z + shift) * half - offset) / width
        return codes, ((codes * width + width) * basis).sum(-1).to(torch.int64)

    def lfq(z):
        codes = torch.where(z > 0, 1.0, -1.0)
        return codes, ((codes > 0) * places).sum(-1)

    return {
        f"fsq_quantize, codes_to_index {n}x6": [(fsq, (normal(n, 6),))],
        f"lfq_quantize, bits_to_index {n}x18": [(lfq, (normal(n, 18),))],
    }


def pictures(channels, side):
    x, weight, bias = normal(1, channels, side, side), normal(channels, channels, 3, 3), normal(channels)

    def convolution(x, weight, bias):
        return F.relu(F.conv2d(x, weight, bias, padding=1))

    return {f"convolution 3x3 with relu {channels}x{side}x{side}": [(convolution, (x, weight, bias))]}


def denoising(count):
    x, output = normal(count), normal(count)

    def ddim(x, output):
        x0 = (x - 0.6 * output) / 0.8
        return 0.9 * x0 + 0.19**0.5 * output, x0

    def scale(z):
        return z * 0.18215

    return {f"ddim_step {count}": [(ddim, (x, output))], f"scale_latents {count}": [(scale, (x,))]}


def all_rows():
    for n, k, d in [(8192, 8192, 256), (8192, 1024, 64)]:
        for version in (1, 2, 3):
            yield f"nearest_code_{version} {n}x{k}x{d}", nearest(n, k, d)
    for rows in (element_wise(65536, 784), vq(65536, 1024, 64), tokens(1 << 22), pictures(64, 512), denoising(1 << 26)):
        yield from rows.items()
    for batch in (128, 8192):
        yield f"vae_train_step {batch}x784x400x20", vae_step(batch)


def main():
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(1)
    result = {"about": f"{torch.__version__}, {torch.cuda.get_device_name()}"}
    for name, spellings in all_rows():
        eager = [milliseconds(lambda: run(*inputs)) for run, inputs in spellings]
        compiled = []
        for run, inputs in spellings:
            fast = torch.compile(run)
            try:
                compiled.append(milliseconds(lambda: fast(*inputs)))
            except RuntimeError as error:  # not everything can be compiled everywhere
                print(name, "compiled:", error, file=sys.stderr)
        result[name] = {"eager": min(eager)}
        if compiled:
            result[name]["compiled"] = min(compiled)
        print(name, result[name], flush=True)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
