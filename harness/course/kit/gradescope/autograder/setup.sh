#!/usr/bin/env bash
# Gradescope runs this once, when it builds the container: it installs the harness and draws the training faces.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${here%/source}  # /autograder
source="$root/source"
wheel=$(echo "$source"/*.whl)

# The card's secret is for the grader. A submission is kept out of this folder besides; see README.md of the kit.
chmod 700 "$source"
chmod 600 "$source/seed"

# A Python of its own, since the image's may be too old for the harness. torch comes without CUDA, which has no use here.
export UV_PYTHON_INSTALL_DIR="$root/python" PIP_BREAK_SYSTEM_PACKAGES=1
apt-get update -q
apt-get install -qy python3-pip
python3 -m pip install -q uv
uv venv -q --python 3.12 "$root/venv"
uv pip install -q --python "$root/venv/bin/python" --index-url https://download.pytorch.org/whl/cpu torch torchvision
uv pip install -q --python "$root/venv/bin/python" "facial-keypoint-harness[onnx] @ file://$wheel"

# Drawn now, the faces need not be drawn for every hand-in.
export XDG_CACHE_HOME="$root/cache"
"$root/venv/bin/harness" data info --benchmark "$source/benchmark.toml"

# For the build's log: how well a submission can be kept in here. What counts is where hand-ins run; see run_autograder.
"$root/venv/bin/harness" doctor || true
