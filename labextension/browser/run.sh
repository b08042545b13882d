#!/usr/bin/env bash
# The tests in a real browser: JupyterLab and Notebook 7 servers, headless Chromium. Installs what it needs into .venv/
# and, as root on Debian, Chromium. What the pages showed is in screenshots/, for people to look at.
#   WITH='jupyterlab==4.2.* notebook==7.2.*' labextension/browser/run.sh    with these, in an environment of their own
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.venv
[ -z "${WITH:-}" ] || venv="build/browser-$(printf %s "$WITH" | tr -cs 'a-z0-9.' -)"
[ -x "$venv/bin/python" ] || python3.11 -m venv "$venv"
read -ra versions <<< "${WITH:-}"
"$venv/bin/python" -m pip install -q -e '.[test,browser]' "${versions[@]}"
bash labextension/browser/chromium.sh
export PATH="$PWD/$venv/bin:$PATH"
# A folder of its own: pytest's usual one is cleared by the third run after this, which may begin before this one ends.
own="$(mktemp -d)"
trap 'rm -rf "$own"' EXIT
CHROMIUM="$(command -v chromium)" pytest labextension/browser -n 2 --dist worksteal --basetemp="$own/tests" "$@"
