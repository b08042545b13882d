#!/usr/bin/env bash
# Chromium for the tests, where there is none: as root on Debian.
set -euo pipefail
command -v chromium > /dev/null && exit
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu > /dev/null
