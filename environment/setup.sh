#!/bin/sh
# Makes .venv from environment/lock.txt; does nothing when that is done. Run by `make setup`.
#
# Needs Python 3 with venv (3.11, or any from which the installer can fetch 3.11), a C++ compiler and
# Python's headers (pyfarmhash comes as source). What is missing is said in one line, exit code 2.
# Honours PIP_FIND_LINKS, UV_FIND_LINKS, UV_TORCH_BACKEND, and what else pip and uv read themselves.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.complete
uv=.installer/bin/uv
log=.installer/setup.log

say() { printf '%s\n' "set-up: $*"; }
die() { printf '%s\n' "set-up: $*" >&2; exit 2; }
fingerprint() { cat environment/*.txt environment/setup.sh | sha256sum; }
is_complete() { [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint)" ]; }

# Runs a quiet step; when it fails, shows what it printed, then the line that says what failed ($1).
step() {
    failure=$1
    shift
    "$@" >"$log" 2>&1 || { cat "$log" >&2; die "$failure: the lines above say why"; }
}

find_python() {
    for python in python3.11 python3; do
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
    done
    die "no Python 3 with venv: install Python 3.11 with venv (Debian: apt-get install python3-venv)"
}

find_compiler() {
    for compiler in ${CXX:-c++ g++}; do
        if command -v "$compiler" >/dev/null 2>&1; then return; fi
    done
    die "no C++ compiler: install one (Debian: apt-get install g++)"
}

find_headers() {
    .venv/bin/python -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
        die "no headers of Python 3.11: install them (Debian: apt-get install python3-dev)"
}

# One version of torch comes in several builds: a CPU build from a folder of wheels, else from the
# index that UV_TORCH_BACKEND names (cpu when unset), else the default index's build, which on Linux
# is for GPUs. Only the last has its hashes locked: whose build a folder holds is not known here.
install_torch() {
    set -- "$uv" pip install --no-config --quiet --compile-bytecode --python .venv/bin/python
    backend=${UV_TORCH_BACKEND:-}
    if [ "${backend:-cpu}" = cpu ] && [ -n "$UV_FIND_LINKS" ] &&
        env -u UV_TORCH_BACKEND "$@" --no-index -r environment/torch.txt >"$log" 2>&1; then
        return
    fi
    if [ -n "$backend" ]; then
        step "no torch for UV_TORCH_BACKEND=$backend (unset it to take the default index's build)" \
            "$@" -r environment/torch.txt
    elif ! env UV_TORCH_BACKEND=cpu "$@" -r environment/torch.txt >"$log" 2>&1; then
        say "no CPU build of torch within reach (UV_FIND_LINKS can name a folder): taking the GPU build, 3 GB"
        step "torch cannot be installed" env -u UV_TORCH_BACKEND \
            "$@" --no-deps --require-hashes -r environment/torch-default.txt
    fi
}

if is_complete; then exit 0; fi
find_python
find_compiler
mkdir -p .installer
if command -v flock >/dev/null 2>&1; then # two verbs at once: the second waits and finds it done
    exec 9>.installer/lock
    flock 9
    if is_complete; then exit 0; fi
fi
rm -f "$stamp"

# pip's variables that uv knows by other names.
export UV_FIND_LINKS="${UV_FIND_LINKS-$(printf '%s' "${PIP_FIND_LINKS:-}" | tr ' ' ',')}"
if [ -n "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"; fi

say "installing the installer"
step "the installer cannot be installed" "$python" -m venv .installer
step "the installer cannot be installed" .installer/bin/python -m pip install \
    --quiet --require-hashes --only-binary :all: -r environment/installer.txt
"$uv" venv --quiet --no-config --clear --python 3.11 .venv >"$log" 2>&1 ||
    die "no Python 3.11, and none could be fetched: install it with its headers (details: $log)"
find_headers
say "installing the locked packages into .venv (minutes, where the package cache is empty)"
step "the locked packages cannot be installed" "$uv" pip sync \
    --no-config --quiet --require-hashes --compile-bytecode --python .venv/bin/python \
    --build-constraints environment/lock.txt environment/lock.txt
say "installing torch"
install_torch
fingerprint >"$stamp"
say "done"
