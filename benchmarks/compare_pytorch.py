#!/usr/bin/env python3
"""Steps of SD3-medium's transformer in Rectiflow and in PyTorch, in turn, on this machine.

    python3 benchmarks/compare_pytorch.py --size 512 --rounds 3

Both programs stay loaded; in every round each runs one step, in another order each time. Printed are
the medians of the ratios formed within the rounds, with their spread. Weights are random in both: only
time is compared. Needs torch; where diffusers can be imported its SD3Transformer2DModel is measured,
otherwise a plain torch module of the same architecture, written here from the paper's Figure 2.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels; default: 512")
    parser.add_argument("--text-tokens", type=int, default=333, help="333 with T5, 154 without; default: 333")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--model", help="the model Rectiflow runs; default: that of `./run.sh bench`")
    parser.add_argument("--types", default="float32,bfloat16", help="of PyTorch; default: float32,bfloat16")
    parser.add_argument(
        "--distinct-blocks", type=int, default=24,
        help="keep the weights of only so many of the 24 blocks in memory and use them in turn: one block's are "
        "larger than any cache, so the time is the same, and float32 takes less than 9 GB; default: 24")
    parser.add_argument("--rectiflow", default=str(HOME / "run.sh"), help="the command that starts it; default: run.sh")
    parser.add_argument("--no-diffusers", action="store_true", help="the plain module even where diffusers is installed")
    parser.add_argument("--json", metavar="FILE", help="also write everything as JSON")
    args = parser.parse_args()
    if args.size % 16 or args.size < 16:
        parser.error(f"--size must be a multiple of 16, got {args.size}")
    if args.rounds < 1 or args.threads < 1 or args.text_tokens < 1:
        parser.error("--rounds, --threads and --text-tokens must be at least 1")
    if not 1 <= args.distinct_blocks <= 24:
        parser.error(f"--distinct-blocks must be from 1 to 24, got {args.distinct_blocks}")
    for name in args.types.split(","):
        if name not in ("float32", "bfloat16"):
            parser.error(f"--types: {name} is neither float32 nor bfloat16")
    return args


args = arguments()
os.environ["OMP_NUM_THREADS"] = str(args.threads)  # read when torch is loaded

try:
    import torch
except ImportError:
    sys.exit("compare_pytorch.py: Python has no torch; install it: pip install torch")
from torch import nn
from torch.nn import functional as F

WIDTH, HEADS, DEPTH, LATENT, CONTEXT, POOLED = 1536, 24, 24, 16, 4096, 2048


class Stream(nn.Module):
    """The weights of one block for one kind of token."""

    def __init__(self, last):
        super().__init__()
        self.last = last
        self.modulation = nn.Linear(WIDTH, (2 if last else 6) * WIDTH)
        self.q, self.k, self.v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        if not last:
            self.out = nn.Linear(WIDTH, WIDTH)
            self.up = nn.Linear(WIDTH, 4 * WIDTH)
            self.down = nn.Linear(4 * WIDTH, WIDTH)

    def before(self, x, condition):
        parts = self.modulation(F.silu(condition)).unsqueeze(1).chunk(2 if self.last else 6, dim=-1)
        h = F.layer_norm(x, (WIDTH,), eps=1e-6) * (1 + parts[1]) + parts[0]
        heads = (x.shape[0], x.shape[1], HEADS, WIDTH // HEADS)
        return parts, [f(h).view(heads).transpose(1, 2) for f in (self.q, self.k, self.v)]

    def after(self, x, attention, parts):
        _, _, gate, shift, scale, mlp_gate = parts
        x = x + gate * self.out(attention)
        h = F.layer_norm(x, (WIDTH,), eps=1e-6) * (1 + scale) + shift
        return x + mlp_gate * self.down(F.gelu(self.up(h), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, last=False):
        super().__init__()
        self.image = Stream(False)
        self.text = Stream(last)

    def forward(self, x, c, condition):
        image_parts, image = self.image.before(x, condition)
        text_parts, text = self.text.before(c, condition)
        q, k, v = (torch.cat(pair, dim=2) for pair in zip(image, text))
        attention = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x_new = self.image.after(x, attention[:, : x.shape[1]], image_parts)
        c_new = c if self.text.last else self.text.after(c, attention[:, x.shape[1] :], text_parts)
        return x_new, c_new


class PlainMmdit(nn.Module):
    """SD3-medium's transformer. `distinct` blocks' weights serve all but the last of the 24."""

    def __init__(self, distinct):
        super().__init__()
        self.patch = nn.Conv2d(LATENT, WIDTH, 2, 2)
        self.context = nn.Linear(CONTEXT, WIDTH)
        self.time = nn.Sequential(nn.Linear(256, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.pooled = nn.Sequential(nn.Linear(POOLED, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(min(distinct, DEPTH - 1)))
        self.last = Block(last=True)
        self.modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, 4 * LATENT)
        self.register_buffer("position", torch.randn(1, 192 * 192, WIDTH) * 0.02)

    def forward(self, latent, context, pooled, timestep):
        x = self.patch(latent).flatten(2).transpose(1, 2)
        x = x + self.position[:, : x.shape[1]]
        c = self.context(context)
        frequencies = torch.exp(-torch.arange(128) / 128 * 9.210340371976184)
        angles = timestep[:, None] * frequencies
        features = torch.cat([angles.cos(), angles.sin()], dim=-1).to(latent.dtype)
        condition = self.time(features) + self.pooled(pooled)
        for i in range(DEPTH - 1):
            x, c = self.blocks[i % len(self.blocks)](x, c, condition)
        x, _ = self.last(x, c, condition)
        shift, scale = self.modulation(F.silu(condition)).unsqueeze(1).chunk(2, dim=-1)
        return self.out(F.layer_norm(x, (WIDTH,), eps=1e-6) * (1 + scale) + shift)


def torch_model(dtype):
    """A model and its name."""
    if not args.no_diffusers and args.distinct_blocks == DEPTH:
        try:
            from diffusers import SD3Transformer2DModel
            model = SD3Transformer2DModel(
                sample_size=128, patch_size=2, in_channels=LATENT, num_layers=DEPTH, attention_head_dim=64,
                num_attention_heads=HEADS, joint_attention_dim=CONTEXT, caption_projection_dim=WIDTH,
                pooled_projection_dim=POOLED, out_channels=LATENT, pos_embed_max_size=192)
            return "diffusers' SD3Transformer2DModel", model.to(dtype).eval()
        except ImportError:
            pass  # said below: the name of what is measured is printed
    return "a plain torch module of the same architecture", PlainMmdit(args.distinct_blocks).to(dtype).eval()


def torch_step(dtype):
    """A function that runs one step and returns its seconds."""
    torch.manual_seed(0)
    name, model = torch_model(dtype)
    side = args.size // 8
    latent = torch.randn(1, LATENT, side, side).to(dtype)
    context = torch.randn(1, args.text_tokens, CONTEXT).to(dtype)
    pooled = torch.randn(1, POOLED).to(dtype)
    timestep = torch.tensor([500.0])
    parameters = sum(p.numel() for p in model.parameters())

    def run():
        with torch.inference_mode():
            start = time.perf_counter()
            if name.startswith("diffusers"):
                model(hidden_states=latent, encoder_hidden_states=context, pooled_projections=pooled,
                      timestep=timestep)
            else:
                model(latent, context, pooled, timestep)
            return time.perf_counter() - start

    return f"{name}, {parameters / 1e9:.2f} billion weights in memory", run


class Rectiflow:
    """The program on the other side of a pipe."""

    def __init__(self):
        command = shlex.split(args.rectiflow) + [
            "bench", "--on-request", "--sizes", str(args.size), "--threads", str(args.threads),
            "--text-tokens", str(args.text_tokens)]
        if args.model:
            command += ["--model", args.model]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare_pytorch.py: rectiflow ended with status {self.process.wait()}; its message is above")
        return line.strip()

    def expect(self, text):
        line = self.line()
        if line != text:
            sys.exit(f"compare_pytorch.py: rectiflow said {line!r}, expected {text!r}")

    def __call__(self):
        self.process.stdin.write("step\n")
        self.process.stdin.flush()
        return float(self.line())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    torch.set_num_threads(args.threads)
    runs = {"rectiflow": Rectiflow()}
    kinds = {}
    for name in args.types.split(","):
        kinds[name], runs[f"torch {name}"] = torch_step(getattr(torch, name))
    print(f"{args.size}x{args.size}, {args.text_tokens} tokens of text, {args.threads} threads; torch {torch.__version__}")
    for name, kind in kinds.items():
        print(f"  torch {name}: {kind}", flush=True)
    for run in runs.values():
        run()  # compiles, packs
    names = list(runs)
    seconds = {name: [] for name in names}
    for number in range(args.rounds):
        for i in range(len(names)):
            name = names[(number + i) % len(names)]
            time.sleep(0.05)  # threads of OpenMP look for work for a while after they have finished
            seconds[name].append(runs[name]())
        print(f"  round {number + 1}: " + ", ".join(f"{name} {seconds[name][-1]:.2f} s" for name in names), flush=True)
    runs["rectiflow"].close()
    report = {"size": args.size, "text_tokens": args.text_tokens, "threads": args.threads, "rounds": args.rounds,
              "torch": torch.__version__, "models": kinds, "seconds": seconds, "ratios": {}}
    for name in names:
        values = seconds[name]
        print(f"  {name:16} {statistics.median(values):7.2f} s a step   [{min(values):.2f}, {max(values):.2f}]")
    for name in names[1:]:
        ratios = [other / own for other, own in zip(seconds[name], seconds["rectiflow"])]
        report["ratios"][name] = {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
        print(f"  rectiflow is {statistics.median(ratios):.2f} times as fast as {name}   [{min(ratios):.2f}, {max(ratios):.2f}]")
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
