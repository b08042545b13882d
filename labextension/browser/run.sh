#!/usr/bin/env bash
# The tests in a real browser: JupyterLab and Notebook 7 servers, headless Chromium. Installs what it needs into .venv/
# and, as root on Debian, Chromium. What the pages showed is in screenshots/, for people to look at.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -x .venv/bin/python ] || python3.11 -m venv .venv
.venv/bin/python -m pip install -q -e '.[test,browser]'
if ! command -v chromium > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu > /dev/null
fi
export PATH="$PWD/.venv/bin:$PATH"
# A folder of its own: pytest's usual one is cleared by the third run after this, which may begin before this one ends.
own="$(mktemp -d)"
trap 'rm -rf "$own"' EXIT
CHROMIUM="$(command -v chromium)" pytest labextension/browser --basetemp="$own/tests" "$@"
