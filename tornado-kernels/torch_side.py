"""The PyTorch side of measure.sh: matrix products, attention and a step of SD3's transformer.

Needs torch and nothing else: the transformer is written out below, with random weights, since only
its time matters. Sizes are those of the model folder that measure.sh made. Every number is cold
(the first call) and warm (the mean of the runs after it), in the precisions that PyTorch users
choose between.
"""

import argparse
import json
import os
import sys
import time

try:
    import torch
except ImportError as missing:
    sys.exit(f"torch_side.py: {missing}. It needs a Python with torch: pip install torch, or PYTHON=... for measure.sh")

PRECISIONS = {
    "float32": (torch.float32, "highest"),
    "tf32": (torch.float32, "high"),
    "float16": (torch.float16, "highest"),
}
CLIP_AND_T5_TOKENS = 77 + 256


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder of a model in diffusers' layout")
    parser.add_argument("--size", default="1024x1024")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", required=True)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    with open(os.path.join(arguments.model, "transformer", "config.json")) as file:
        config = json.load(file)
    width, height = (int(side) for side in arguments.size.split("x"))
    device = torch.device(arguments.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    print(f"\nPyTorch {torch.__version__} on {name}, {torch.get_num_threads()} threads")
    precisions = PRECISIONS if device.type == "cuda" else {"float32": PRECISIONS["float32"]}
    results = []
    for precision, (dtype, matmul) in precisions.items():
        torch.set_float32_matmul_precision(matmul)
        results += kernels(config, width, height, dtype, precision, device, arguments.runs)
        results += model(config, width, height, dtype, precision, device, arguments.runs)
    with open(arguments.json, "w") as file:
        json.dump({"torch": torch.__version__, "device": name, "results": results}, file, indent=2)


def measure(work, runs, device):
    """Seconds of the first call, and the mean of the others after one more to warm up."""

    def once():
        if device.type == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    cold = once()
    once()
    return cold, sum(once() for _ in range(runs)) / runs


def report(what, precision, cold, warm, flops=None):
    rate = "" if flops is None else f"{flops / warm * 1e-9:10.1f} GFLOP/s"
    print(f"  {what:44s} {precision:8s} cold {cold:9.4f} s   warm {warm:9.5f} s {rate}")
    return {"what": what, "precision": precision, "cold": cold, "warm": warm, "flops": flops}


@torch.inference_mode()
def kernels(config, width, height, dtype, precision, device, runs):
    heads = config["num_attention_heads"]
    head = config["attention_head_dim"]
    channels = heads * head
    image = (width // 8 // config["patch_size"]) * (height // 8 // config["patch_size"])
    tokens = image + CLIP_AND_T5_TOKENS
    generator = torch.Generator("cpu").manual_seed(0)

    def noise(*shape):
        return torch.randn(*shape, generator=generator).to(device, dtype)

    results = []
    for rows, k, n in [
        (image, channels, channels),
        (image, channels, 4 * channels),
        (image, 4 * channels, channels),
        (CLIP_AND_T5_TOKENS, channels, 4 * channels),
    ]:
        x, w, b = noise(rows, k), noise(n, k), noise(n)
        times = measure(lambda: torch.nn.functional.linear(x, w, b), runs, device)
        results.append(report(f"linear [{rows}, {k}] x [{n}, {k}]", precision, *times, 2.0 * rows * k * n))
    q, k, v = (noise(1, heads, tokens, head) for _ in range(3))
    attention = torch.nn.functional.scaled_dot_product_attention
    times = measure(lambda: attention(q, k, v), runs, device)
    flops = 4.0 * tokens * tokens * channels
    results.append(report(f"attention, {tokens} tokens, {heads} heads of {head}", precision, *times, flops))
    return results


class Stream(torch.nn.Module):
    """One modality's weights in a block of Figure 2b of the paper."""

    def __init__(self, channels, last):
        super().__init__()
        self.modulation = torch.nn.Linear(channels, (2 if last else 6) * channels)
        self.norm = torch.nn.LayerNorm(channels, elementwise_affine=False, eps=1e-6)
        self.qkv = torch.nn.Linear(channels, 3 * channels)
        self.last = last
        if not last:
            self.out = torch.nn.Linear(channels, channels)
            self.mlp = torch.nn.Sequential(
                torch.nn.Linear(channels, 4 * channels),
                torch.nn.GELU(approximate="tanh"),
                torch.nn.Linear(4 * channels, channels),
            )

    def before(self, x, y):
        parts = self.modulation(torch.nn.functional.silu(y)).unsqueeze(1).chunk(2 if self.last else 6, -1)
        return self.qkv(self.norm(x) * (1 + parts[1]) + parts[0]), parts[2:]

    def after(self, x, attended, parts):
        gate, shift, scale, mlp_gate = parts
        x = x + gate * self.out(attended)
        return x + mlp_gate * self.mlp(self.norm(x) * (1 + scale) + shift)


class Block(torch.nn.Module):
    """Joint attention of image and text tokens; the last block's text is not needed any more."""

    def __init__(self, channels, heads, last):
        super().__init__()
        self.heads = heads
        self.image = Stream(channels, False)
        self.text = Stream(channels, last)

    def forward(self, x, c, y):
        image, image_parts = self.image.before(x, y)
        text, text_parts = self.text.before(c, y)
        qkv = torch.cat([image, text], 1)
        b, tokens, width = qkv.shape
        q, k, v = qkv.view(b, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        attended = attended.transpose(1, 2).reshape(b, tokens, width // 3)
        x = self.image.after(x, attended[:, : x.shape[1]], image_parts)
        return x, c if self.text.last else self.text.after(c, attended[:, x.shape[1] :], text_parts)


class Transformer(torch.nn.Module):
    """SD3's MMDiT: patches and prompt in, velocity out; positions are added as zeros."""

    def __init__(self, config):
        super().__init__()
        heads = config["num_attention_heads"]
        channels = heads * config["attention_head_dim"]
        depth, patch, latent = config["num_layers"], config["patch_size"], config["in_channels"]
        linear = torch.nn.Linear
        self.patches = torch.nn.Conv2d(latent, channels, patch, patch)
        self.context = linear(config["joint_attention_dim"], channels)
        self.time = torch.nn.Sequential(linear(256, channels), torch.nn.SiLU(), linear(channels, channels))
        pooled = config["pooled_projection_dim"]
        self.pooled = torch.nn.Sequential(linear(pooled, channels), torch.nn.SiLU(), linear(channels, channels))
        self.blocks = torch.nn.ModuleList(Block(channels, heads, i == depth - 1) for i in range(depth))
        self.modulation = linear(channels, 2 * channels)
        self.norm = torch.nn.LayerNorm(channels, elementwise_affine=False, eps=1e-6)
        self.out = linear(channels, patch * patch * latent)

    def forward(self, latent, context, pooled, features):
        x = self.patches(latent).flatten(2).transpose(1, 2)
        c = self.context(context)
        y = self.time(features) + self.pooled(pooled)
        for block in self.blocks:
            x, c = block(x, c, y)
        shift, scale = self.modulation(torch.nn.functional.silu(y)).unsqueeze(1).chunk(2, -1)
        return self.out(self.norm(x) * (1 + scale) + shift)


@torch.inference_mode()
def model(config, width, height, dtype, precision, device, runs):
    torch.manual_seed(0)
    start = time.perf_counter()
    with device:
        transformer = Transformer(config).to(dtype).eval()
    making = time.perf_counter() - start

    def noise(*shape):
        return torch.randn(*shape).to(device, dtype)

    latent = noise(1, config["in_channels"], height // 8, width // 8)
    context = noise(1, CLIP_AND_T5_TOKENS, config["joint_attention_dim"])
    pooled = noise(1, config["pooled_projection_dim"])
    features = noise(1, 256)
    cold, warm = measure(lambda: transformer(latent, context, pooled, features), runs, device)
    what = f"a step of {config['num_layers']} blocks, {width}x{height}"
    return [report(what, precision, making + cold, warm)]


if __name__ == "__main__":
    main()
