#!/usr/bin/env bash
# Usage: deploy/install-python.sh VENV EXTRAS
# Makes a virtual environment and installs this checkout into it, editable, with the named extras.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 extras=$2
say() { printf '%s\n' "$*" >&2; }

# A name on the PATH may be a version manager's shim for a Python that is not there, so each is tried.
for python in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
  python=
done
if [ -z "$python" ]; then
  say "Python 3.11 or later is needed and none was found on the PATH. On Debian 12: apt-get install python3 python3-venv"
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" -ne 0 ]; then
    say "Python's venv module is missing and only root can install it. Run: sudo apt-get install python3-venv"
    exit 1
  fi
  say "installing python3-venv"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
fi
# A checkout that was moved leaves an environment whose scripts point to the old place.
if [ -x "$venv/bin/python" ] && ! "$venv/bin/python" -c "import os, sys; sys.exit(os.path.realpath(sys.prefix) != os.path.realpath('$venv'))"; then
  rm -rf "$venv"
fi
[ -x "$venv/bin/python" ] || { say "making $venv with $("$python" -V)"; "$python" -m venv "$venv"; }
say "installing Python packages (a minute or two the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extras]" 2> >(grep -v '^WARNING: Location' >&2)
