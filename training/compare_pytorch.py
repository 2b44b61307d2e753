#!/usr/bin/env python3
"""Times training steps of a transformer here and in PyTorch, in turn, in float32.

A step is the forward and backward pass of rectified flow's loss, clipping to norm 1, AdamW and an
exponential moving average of the weights, from the same weights and on the same batch; the losses
of both sides are compared. Build first: ./mvnw -pl training -am test-compile
"""

import argparse
import json
import math
import os
import pathlib
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as missing:
    sys.exit(f"compare_pytorch.py: {missing}. It needs a Python with torch and numpy: pip install torch numpy")

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = 64
DTYPES = {"F32": np.float32, "F16": np.float16}


def read_safetensors(path):
    """The tensors of a file of float32 and float16, as float32."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in info["data_offsets"])
            values = np.frombuffer(data[begin:end], DTYPES[info["dtype"]])
            tensors[name] = torch.from_numpy(values.astype(np.float32)).reshape(info["shape"])
    return tensors


def write_safetensors(path, tensors):
    header, parts, offset = {}, [], 0
    for name, tensor in tensors.items():
        part = tensor.contiguous().numpy().tobytes()
        span = [offset, offset + len(part)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": span}
        parts.append(part)
        offset += len(part)
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + b"".join(parts))


class Mlp(nn.Module):
    """Two linear layers under the names the checkpoint has for them."""

    def __init__(self, names, sizes, activation):
        super().__init__()
        for name, n_in, n_out in zip(names, sizes, sizes[1:]):
            parent = self
            *path, last = name.split(".")
            for part in path:
                if not hasattr(parent, part):
                    parent.add_module(part, nn.Module())
                parent = getattr(parent, part)
            parent.add_module(last, nn.Linear(n_in, n_out))
        self.layers = [self.get_submodule(name) for name in names]
        self.activation = activation

    def forward(self, x):
        first, second = self.layers
        return second(self.activation(first(x)))


def feed_forward(width):
    gelu = lambda x: F.gelu(x, approximate="tanh")
    return Mlp(["net.0.proj", "net.2"], [width, 4 * width, width], gelu)


class Modulation(nn.Module):
    def __init__(self, width, parts):
        super().__init__()
        self.linear = nn.Linear(width, parts * width)
        self.parts = parts

    def forward(self, y):
        return self.linear(y).unsqueeze(1).chunk(self.parts, dim=2)


def modulated(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class JointAttention(nn.Module):
    def __init__(self, width, pre_only):
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.add_q_proj, self.add_k_proj, self.add_v_proj = (
            nn.Linear(width, width) for _ in range(3)
        )
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            self.add_module(name, nn.RMSNorm(HEAD, eps=1e-6))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        if not pre_only:
            self.to_add_out = nn.Linear(width, width)

    @staticmethod
    def heads(x):
        return x.unflatten(2, (-1, HEAD)).transpose(1, 2)

    def forward(self, x, c):
        q = [self.norm_q(self.heads(self.to_q(x))), self.norm_added_q(self.heads(self.add_q_proj(c)))]
        k = [self.norm_k(self.heads(self.to_k(x))), self.norm_added_k(self.heads(self.add_k_proj(c)))]
        v = [self.heads(self.to_v(x)), self.heads(self.add_v_proj(c))]
        q, k, v = (torch.cat(parts, dim=2) for parts in (q, k, v))
        out = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return out.split([x.shape[1], c.shape[1]], dim=1)


class Block(nn.Module):
    def __init__(self, width, pre_only):
        super().__init__()
        self.norm1 = Modulation(width, 6)
        self.norm1_context = Modulation(width, 2 if pre_only else 6)
        self.attn = JointAttention(width, pre_only)
        self.ff = feed_forward(width)
        self.pre_only = pre_only
        if not pre_only:
            self.ff_context = feed_forward(width)

    def forward(self, x, c, y):
        shift, scale, gate, shift2, scale2, gate2 = self.norm1(y)
        text = self.norm1_context(y)
        c_shift, c_scale = (text[1], text[0]) if self.pre_only else text[:2]
        ax, ac = self.attn(modulated(x, shift, scale), modulated(c, c_shift, c_scale))
        x = x + gate * self.attn.to_out[0](ax)
        x = x + gate2 * self.ff(modulated(x, shift2, scale2))
        if not self.pre_only:
            c = c + text[2] * self.attn.to_add_out(ac)
            c = c + text[5] * self.ff_context(modulated(c, text[3], text[4]))
        return x, c


class Transformer(nn.Module):
    """The MMDiT of a diffusers checkpoint; its sizes follow from the tensors."""

    def __init__(self, tensors):
        super().__init__()
        width, channels, patch, _ = tensors["pos_embed.proj.weight"].shape
        depth = 1 + max(int(n.split(".")[1]) for n in tensors if n.startswith("transformer_blocks"))
        self.patch = patch
        self.pos_embed = nn.Module()
        self.pos_embed.proj = nn.Conv2d(channels, width, patch, patch)
        self.pos_embed.register_buffer("pos_embed", tensors["pos_embed.pos_embed"])
        pooled = tensors["time_text_embed.text_embedder.linear_1.weight"].shape[1]
        names = ["linear_1", "linear_2"]
        self.time_text_embed = nn.Module()
        self.time_text_embed.timestep_embedder = Mlp(names, [256, width, width], F.silu)
        self.time_text_embed.text_embedder = Mlp(names, [pooled, width, width], F.silu)
        self.context_embedder = nn.Linear(tensors["context_embedder.weight"].shape[1], width)
        self.transformer_blocks = nn.ModuleList(Block(width, i == depth - 1) for i in range(depth))
        self.norm_out = Modulation(width, 2)
        self.proj_out = nn.Linear(width, patch * patch * channels)
        self.load_state_dict(tensors)

    def positions(self, rows, columns):
        table = self.pos_embed.pos_embed
        side = math.isqrt(table.shape[-2])
        top, left = (side - rows) // 2, (side - columns) // 2
        table = table.view(side, side, -1)[top : top + rows, left : left + columns]
        return table.reshape(1, rows * columns, -1)

    def forward(self, latent, timestep, context, pooled):
        angles = timestep[:, None] * torch.exp(-math.log(10000) * torch.arange(128) / 128)
        features = torch.cat([angles.cos(), angles.sin()], dim=1)
        embed = self.time_text_embed
        y = F.silu(embed.timestep_embedder(features) + embed.text_embedder(pooled))
        x = self.pos_embed.proj(latent)
        rows, columns = x.shape[2:]
        x = x.flatten(2).transpose(1, 2) + self.positions(rows, columns)
        c = self.context_embedder(context)
        for block in self.transformer_blocks:
            x, c = block(x, c, y)
        scale, shift = self.norm_out(y)
        x = self.proj_out(modulated(x, shift, scale))
        x = x.view(len(x), rows, columns, self.patch, self.patch, -1)
        return x.permute(0, 5, 1, 3, 2, 4).reshape(latent.shape)


class PyTorch:
    """One side of the comparison; fused AdamW is PyTorch's fastest."""

    def __init__(self, tensors, batch):
        self.model = Transformer(tensors)
        self.batch = batch
        self.parameters = list(self.model.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-4, fused=True)

    def step(self):
        start = time.perf_counter()
        b = self.batch
        v = self.model(b["latent"], b["timestep"], b["context"], b["pooled"])
        loss = (((v - b["target"]) ** 2).flatten(1).mean(1) * b["weight"]).mean()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1e-3)
        value = loss.item()
        return (time.perf_counter() - start) * 1e3, value

    @staticmethod
    def memory():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Rectiflow:
    """The other side: a JVM that takes a step when told to."""

    def __init__(self, java, jvm_options, model, batch, threads):
        jars = (pathlib.Path.home() / ".m2/repository").glob("com/fasterxml/jackson/**/*.jar")
        folders = [ROOT / m / "target/classes" for m in ("safetensors", "engine", "mmdit", "vae", "training")]
        folders.append(ROOT / "training/target/test-classes")
        missing = [f for f in folders if not f.is_dir()]
        if missing:
            sys.exit(f"{missing[0]} does not exist; build first: ./mvnw -pl training -am test-compile")
        command = [java, "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"]
        command += jvm_options + ["-cp", ":".join(map(str, [*folders, *jars]))]
        command += ["org.rectiflow.training.TrainingSteps", str(model), str(batch), str(threads)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.arena = int(self.answer().split()[1]) / 2**20

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the JVM stopped; its message is above")
        return line.strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def step(self):
        milliseconds, loss = map(float, self.ask("step").split())
        return milliseconds, loss

    def memory(self):
        return int(self.ask("memory").split()[1]) / 1024

    def profile(self):
        line = self.ask("profile")
        while line:
            print(line)
            line = self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def random_batch(tensors, batch, size, context_tokens):
    generator = torch.Generator().manual_seed(7)
    normal = lambda *shape: torch.randn(shape, generator=generator)
    channels = tensors["pos_embed.proj.weight"].shape[1]
    x0, noise = normal(batch, channels, size, size), normal(batch, channels, size, size)
    t = torch.sigmoid(normal(batch))
    mix = t[:, None, None, None]
    return {
        "latent": (1 - mix) * x0 + mix * noise,
        "timestep": 1000 * t,
        "context": normal(batch, context_tokens, tensors["context_embedder.weight"].shape[1]),
        "pooled": normal(batch, tensors["time_text_embed.text_embedder.linear_1.weight"].shape[1]),
        "target": noise - x0,
        "weight": torch.ones(batch),
    }


def spread(values):
    ordered = sorted(values)
    return f"{statistics.median(ordered):.3f} ({ordered[0]:.3f} to {ordered[-1]:.3f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    # Random latents saturate the attention of models/shapes, which was trained on others: gradients become
    # denormal numbers and steps take twice as long.
    default = ROOT / "testdata/models/shapes/transformer/diffusion_pytorch_model.safetensors"
    parser.add_argument("--model", type=pathlib.Path, default=default, help="the transformer's file")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=8, help="rows and columns of the latent")
    parser.add_argument("--context", type=int, default=64, help="text tokens")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15, help="timed steps of each side")
    parser.add_argument("--warm-up", type=int, default=15, help="steps of each side before")
    home = os.environ.get("JAVA_HOME")
    parser.add_argument("--java", default=os.path.join(home, "bin", "java") if home else "java",
                        help="the java of JDK 25; default: that of JAVA_HOME, or the first on the path")
    parser.add_argument("--jvm-option", action="append", default=[], help="may be given several times")
    parser.add_argument("--profile", action="store_true", help="print where our time goes, op by op")
    parser.add_argument("--only", choices=["rectiflow", "pytorch"], help="run one side")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    tensors = read_safetensors(args.model)
    batch = random_batch(tensors, args.batch, args.size, args.context)
    sides = {}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "batch.safetensors"
        write_safetensors(file, batch)
        if args.only != "pytorch":
            sides["rectiflow"] = Rectiflow(args.java, args.jvm_option, args.model, file, args.threads)
        if args.only != "rectiflow":
            sides["pytorch"] = PyTorch(tensors, batch)
        times, differences = {name: [] for name in sides}, []
        for i in range(args.warm_up + args.rounds):
            if i == args.warm_up and "rectiflow" in sides:
                sides["rectiflow"].ask("forget")
            losses = []
            for name, side in sides.items():
                milliseconds, loss = side.step()
                losses.append(loss)
                if i >= args.warm_up:
                    times[name].append(milliseconds)
            differences.append(abs(losses[0] / losses[-1] - 1))
    for name, side in sides.items():
        print(f"{name}: {spread(times[name])} ms a step, peak memory {side.memory():.0f} MiB")
    if len(sides) == 2:
        ratios = [p / r for p, r in zip(times["pytorch"], times["rectiflow"])]
        print(f"throughput against PyTorch {torch.__version__}: {spread(ratios)} times")
        print(f"relative difference of losses: {differences[0]:.1e} at first, {max(differences):.1e} at most")
    if "rectiflow" in sides:
        print(f"arena: {sides['rectiflow'].arena:.0f} MiB")
        if args.profile:
            sides["rectiflow"].profile()
        sides["rectiflow"].close()


if __name__ == "__main__":
    main()
