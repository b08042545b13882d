#!/usr/bin/env bash
# Convert an example and reproduce it: needs Python 3.11 and git, installs the rest into .venv/.
#   examples/try_it.sh [NOTEBOOK [OUT]]
set -euo pipefail
cd "$(dirname "$0")/.."
notebook=${1:-examples/tidy/churn.ipynb}
out=${2:-${TMPDIR:-/tmp}/nb2pkg-example/$(basename "$notebook" .ipynb)}
[ -x .venv/bin/python ] || python3.11 -m venv .venv
.venv/bin/python -m pip install -q -e '.[test]'
export PATH="$PWD/.venv/bin:$PATH"
nb2pkg "$notebook" "$out" --force --no-git
cd "$out"
dvc repro
dvc repro | tail -n 1
