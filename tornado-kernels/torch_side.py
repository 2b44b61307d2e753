"""The PyTorch side of measure.sh: matrix products, attention and a step of SD3's transformer.

Needs torch; with diffusers installed it also measures the model. Sizes are those of the model
folder that measure.sh made. Every number is cold (the first call) and warm (the mean of the runs
after it), in the precisions that PyTorch users choose between.
"""

import argparse
import json
import os
import time

import torch

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
        results += model(arguments.model, config, width, height, dtype, precision, device, arguments.runs)
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


@torch.inference_mode()
def model(folder, config, width, height, dtype, precision, device, runs):
    try:
        from diffusers import SD3Transformer2DModel
    except ImportError:
        print("  diffusers is not installed: no seconds per step")
        return []
    start = time.perf_counter()
    transformer = SD3Transformer2DModel.from_pretrained(folder, subfolder="transformer", torch_dtype=dtype)
    transformer.to(device)
    loading = time.perf_counter() - start
    generator = torch.Generator("cpu").manual_seed(0)

    def noise(*shape):
        return torch.randn(*shape, generator=generator).to(device, dtype)

    latent = noise(1, config["in_channels"], height // 8, width // 8)
    context = noise(1, CLIP_AND_T5_TOKENS, config["joint_attention_dim"])
    pooled = noise(1, config["pooled_projection_dim"])
    timestep = torch.tensor([500.0], device=device, dtype=dtype)
    cold, warm = measure(
        lambda: transformer(latent, context, pooled, timestep, return_dict=False), runs, device
    )
    what = f"a step of {config['num_layers']} blocks, {width}x{height}"
    return [report(what, precision, loading + cold, warm)]


if __name__ == "__main__":
    main()
