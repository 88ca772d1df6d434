#!/usr/bin/env bash
# Usage: deploy/install-servers.sh [prometheus] [alertmanager] [chromium] [victoria-metrics]
# Installs the named Debian packages where their programs are missing. Nothing is started: the packages' own
# services stay off, as they would listen on every interface.
set -euo pipefail

declare -A program=([prometheus]=prometheus [alertmanager]=prometheus-alertmanager [chromium]=chromium [victoria-metrics]=victoria-metrics)
declare -A package=([prometheus]=prometheus [alertmanager]=prometheus-alertmanager [chromium]='chromium fonts-dejavu-core' [victoria-metrics]=victoria-metrics)

missing=()
for name in "$@"; do
  command -v "${program[$name]}" >/dev/null || missing+=(${package[$name]})
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  printf 'Missing programs: %s. They are installed by themselves on Debian and Ubuntu only; elsewhere put them on the PATH.\n' "${missing[*]}" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  printf 'Missing programs, and only root can install them. Run: sudo apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
  exit 1
fi

printf 'installing %s\n' "${missing[*]}" >&2
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
  trap 'rm -f "$guard"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$guard"
  chmod +x "$guard"
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
