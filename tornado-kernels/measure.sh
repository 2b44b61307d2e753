#!/usr/bin/env bash
# Kernels, and seconds per step of SD3-medium's transformer, on TornadoVM's devices and in PyTorch, in one go.
#   tornado-kernels/measure.sh                                       SD3-medium at 1024x1024 on tornado
#   tornado-kernels/measure.sh --device cpu,tornado,tornado+cublas --size 512x512
#   tornado-kernels/measure.sh --blocks 1 --size 64x64 --runs 1      a trial on any machine
# PYTHON names a Python with torch. TORNADO_MEMORY is what TornadoVM may take of the device, 16GB unless it is set.
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=measurement device=tornado size=1024x1024 blocks=24 runs=5 dtype=F16 seed=0

usage() {
  echo "usage: $0 [--out DIR] [--device NAMES] [--size WxH] [--blocks N] [--runs N] [--dtype F32|F16|BF16]" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case "$1" in
    --out) out=$2 ;;
    --device) device=$2 ;;
    --size) size=$2 ;;
    --blocks) blocks=$2 ;;
    --runs) runs=$2 ;;
    --dtype) dtype=$2 ;;
    *) usage ;;
  esac
  shift 2
done
if [ -z "${TORNADOVM_HOME:-}" ]; then
  echo "$0: TORNADOVM_HOME is not set; it names the folder of the TornadoVM SDK" >&2
  exit 1
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
model=$out/sd3-medium-$blocks-$dtype
export RECTIFLOW_JAVA_OPTS="-Dtornado.device.memory=${TORNADO_MEMORY:-16GB} ${RECTIFLOW_JAVA_OPTS:-}"

"$home"/run.sh devices | tee "$out/devices.txt"
command -v nvidia-smi >/dev/null && nvidia-smi | tee "$out/nvidia-smi.txt" || true
[ -d "$model" ] || "$home"/run.sh make-random sd3-medium "$model" --no-clip --dtype "$dtype" --blocks "$blocks" --seed $seed
"$home"/run.sh profile --model "$model" --parts transformer --device "$device" --size "$size" --runs "$runs" \
  --csv "$out/profile.csv" --json "$out/profile.json" --roofline "$out/roofline" --print-kernels "$out/kernels" |
  tee "$out/profile.txt"

python=${PYTHON:-python3}
if "$python" -c 'import torch' 2>/dev/null; then
  "$python" "$home/tornado-kernels/torch_side.py" --model "$model" --size "$size" --runs "$runs" \
    --json "$out/torch.json" | tee "$out/torch.txt"
else
  echo "$python has no torch: the PyTorch side is left out. Name another with PYTHON=..." | tee "$out/torch.txt"
fi
echo "everything is in $out"
