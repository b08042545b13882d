#!/usr/bin/env bash
# Makes packages of many repositories of notebooks, and one report on all of them. Copy it and change what you need.
#
#   migrate_lab.sh OUT REPO...          one repository or more
#   migrate_lab.sh OUT -f repos.txt     a list: one repository a line; empty lines and lines with # are passed over
#
# The repositories are only read, and none of their code is run. With one repository OUT is its package, with several
# OUT/<name>/ are theirs; OUT/migration.html tells what became of each notebook and what needs a person first.
# Interrupted (Ctrl-C, a reboot, kill -9)? Run it again: what was done is kept beside OUT, and only what is missing,
# or has changed since, is done.
#
# Variables, and what they stand for:
#   JOBS=8              processes (default: one a processor)
#   TIMEOUT=120         seconds that a notebook may take; MEMORY=2000: megabytes. Who takes more costs its own row only
#   SCHEDULER=tcp://…   a Dask scheduler instead, whose workers see the same folders (pip install "nb2pkg[dask]")
#   OPTIONS="--modernize --python /opt/old/bin/python"   any other option of `nb2pkg migrate`;
#                       --force writes packages again that are there (never over files edited by hand)
#   RUN=yes             runs each pipeline afterwards (dvc repro): this runs the notebooks' code
set -euo pipefail

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit "${1:-2}"
}

[ $# -gt 0 ] || usage
case "$1" in -h | --help) usage 0 ;; esac
[ $# -ge 2 ] || usage
out="$1"
shift

repositories=()
if [ "$1" = "-f" ]; then
  [ $# -eq 2 ] || usage
  while IFS= read -r line || [ -n "$line" ]; do
    line="${line%$'\r'}"
    case "$line" in '' | '#'*) continue ;; esac
    repositories+=("$line")
  done < "$2"
else
  repositories=("$@")
fi
[ ${#repositories[@]} -gt 0 ] || { echo "migrate_lab.sh: no repository is named" >&2; exit 2; }

options=(--timeout "${TIMEOUT:-120}" --memory-limit "${MEMORY:-2000}")
[ -z "${JOBS:-}" ] || options+=(--jobs "$JOBS")
[ -z "${SCHEDULER:-}" ] || options+=(--scheduler "$SCHEDULER")
read -r -a more <<< "${OPTIONS:-}"

# 0: every notebook came over; 1: some did not, and the report tells which, while the others have their package.
status=0
nb2pkg migrate "${options[@]}" ${more[@]+"${more[@]}"} -- "${repositories[@]}" "$out" || status=$?
[ "$status" -le 1 ] || exit "$status"

if [ "${RUN:-no}" = yes ]; then
  for pipeline in "$out/dvc.yaml" "$out"/*/dvc.yaml; do
    [ -f "$pipeline" ] || continue
    # -k: a stage that fails stops those that need it, not the others.
    (cd "$(dirname "$pipeline")" && dvc repro -k) || { echo "fails: ${pipeline%/dvc.yaml}" >&2; status=1; }
  done
fi
echo "report: $out/migration.html"
exit "$status"
