#!/usr/bin/env bash
# Run all tests: needs Python 3.11 and git, installs the rest into .venv/.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv/bin/python ] || python3.11 -m venv .venv
.venv/bin/python -m pip install -q -e '.[test]'
export PATH="$PWD/.venv/bin:$PATH"
pytest -n 2 --dist worksteal "$@"
