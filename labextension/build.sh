#!/usr/bin/env bash
# Build the JupyterLab extension into src/nb2pkg/labextension/, which is committed: nobody needs node to install nb2pkg.
# With --check, fail where that is not what was committed.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --ignore-scripts --no-audit --no-fund
npm run build
if [ "${1:-}" = --check ]; then
  changed="$(git status --porcelain -- ../src/nb2pkg/labextension)"
  if [ -n "$changed" ]; then
    printf 'labextension/build.sh gives other assets than those committed:\n%s\n' "$changed" >&2
    exit 1
  fi
fi
