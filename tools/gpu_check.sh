#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Everything that takes a GPU, in less than ten minutes: builds package and library for this card
# with the Python, nvcc and torch that are installed, compares numbers with the CPU, times, and runs
# compute-sanitizer on a few cases. A failure does not stop what follows it, but for the builds.
#
#     tools/gpu_check.sh            needs no network if build/pocketfft holds the pinned header
#
# With SPECFAST_CUDA_LIBRARY in the environment nothing is built: that library is checked, with the
# package that is installed.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
root=build/gpu
mkdir -p "$root"
status=0

step() { # step NAME COMMAND...: runs a command with its output in a file, and says how it ended
  local name=$1 start=$SECONDS
  shift
  if "$@" >"$root/$name.log" 2>&1; then
    echo "ok      $name $((SECONDS - start)) s"
  else
    echo "FAILED  $name $((SECONDS - start)) s"
    tail -n 30 "$root/$name.log"
    status=1
    return 1
  fi
}

build_package() {
  rm -rf "$root/site"
  "$python" -m pip install --quiet --no-index --no-build-isolation --no-deps --target "$root/site" \
    --config-settings=build-dir="$root/package" .
}

build_library() {
  rm -rf "$root/cuda"
  cmake -S cpp/cuda -B "$root/cuda" -DPython_EXECUTABLE="$(command -v "$python")" \
    -DSPECFAST_CUDA_ARCHITECTURES="$architecture" -DSPECFAST_PTXAS_INFO=ON &&
    cmake --build "$root/cuda"
}

nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || exit 1
architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
if [ -z "${SPECFAST_CUDA_LIBRARY:-}" ]; then
  step library build_library &
  beside=$!
  step package build_package || exit 1
  wait $beside || exit 1
  # Registers and spills of this card, the most of all kernels.
  sed -n "s/.*Used \([0-9]*\) registers.*/\1/p" "$root/library.log" | sort -n | tail -n 1 |
    sed "s/^/most registers of a kernel: /"
  grep -c "[1-9][0-9]* bytes spill" "$root/library.log" | sed "s/^/kernels that spill: /"
  export PYTHONPATH="$PWD/$root/site:$PWD${PYTHONPATH:+:$PYTHONPATH}"
  SPECFAST_CUDA_LIBRARY=$(ls "$PWD/$root/cuda"/libspecfast_cuda.so.*)
fi
export SPECFAST_CUDA_LIBRARY
# Where NVIDIA's wheels have cuFFT; the library of this build is no neighbour of theirs.
folders=$("$python" -c 'import glob, nvidia
print(*(f for path in nvidia.__path__ for f in glob.glob(path + "/*/lib")), sep=":")' 2>/dev/null)
export LD_LIBRARY_PATH="$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
step numbers timeout 90 "$python" -m benchmarks.gpu.numbers
step frameworks timeout 60 "$python" -m benchmarks.gpu.frameworks
step times timeout 90 "$python" -m benchmarks.gpu
step crossover timeout 40 "$python" -m benchmarks.gpu.crossover
# They may take longest, and what they say of cuFFT's own kernels is not ours.
for tool in memcheck racecheck synccheck initcheck; do
  step "$tool" timeout 50 compute-sanitizer --tool "$tool" --error-exitcode 9 \
    "$python" -m benchmarks.gpu.numbers --few
done
echo
date +%F
grep '^device' "$root/numbers.log"
cat "$root/frameworks.log" "$root/times.log" "$root/crossover.log"
exit $status
