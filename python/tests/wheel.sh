#!/bin/sh
# wheel.sh FOLDER [BUILD]: the package as `pip install` makes it, in a fresh environment, used from there: with the
# libraries of a finished build, or without BUILD compiled from nothing; then a wheel without libraries.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
python=${REPRISE_PYTHON:-python3}
unset PYTHONPATH REPRISE_LIBRARY LD_LIBRARY_PATH

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
"$python" -m venv --system-site-packages "$folder/venv" || fail "no venv: install python3-venv"
pip() {
    "$folder/venv/bin/pip" --disable-pip-version-check -q "$@"
}
if ! pip download --no-deps -d "$folder/download" 'scikit-build-core>=0.10' >"$folder/pypi.log" 2>&1; then
    cat "$folder/pypi.log"
    echo "SKIPPED: building the wheel needs scikit-build-core of PyPI, which pip could not fetch"
    exit 77
fi

# With the libraries of a build, or compiling them.
if [ $# -gt 1 ]; then
    set -- --config-settings=cmake.define.REPRISE_BUILT="$2"
else
    set --
fi
pip install --no-deps "$@" "$here/.." || fail "pip install does not work"
cat >"$folder/try.py" <<'END'
import sys
import numpy as np
import reprise as rp
from reprise import ops

assert rp.__file__.startswith(sys.prefix) and "/_lib/libreprise.so" in rp.library_path, rp.library_path
f = rp.function(lambda x: ops.silu(x) + 1)
assert np.allclose(f(np.zeros((2, 8), "f4")), 1)
rp.save_weights("w.safetensors", {"w": np.ones(3, "f4")})
assert (rp.open_weights("w.safetensors")["w"] == 1).all()
END
cd "$folder"
venv/bin/python try.py || fail "the installed package does not work"
site=$(venv/bin/python -c 'import os, reprise; print(os.path.dirname(reprise.__file__))')
for file in py.typed ops.pyi; do
    [ -e "$site/$file" ] || fail "the types were not installed: $file"
done
for library in libreprise libreprise-runtime libreprise-weights; do
    found=$(find "$site/_lib" -name "$library.so.*" | wc -l)
    [ "$found" = 1 ] || fail "$library is there $found times"
done
if find "$site" -name '*.h' -o -name '*.cmake' -o -name 'reprise' -type f | grep .; then
    fail "more than the package was installed"
fi

# Without libraries: it says what is missing, and takes those that it is told.
kept=$folder/libraries
mv "$site/_lib" "$kept"
export REPRISE_WITHOUT_LIBRARY=1
pip install --no-deps --force-reinstall "$here/.." || fail "no wheel without libraries"
[ ! -e "$site/_lib" ] || fail "a wheel without libraries has some"
if venv/bin/python -c 'import reprise' >missing.log 2>&1; then
    grep -q . missing.log || echo "note: a libreprise is installed on this system"
else
    grep -q 'set REPRISE_LIBRARY' missing.log || { cat missing.log; fail "the message does not say what to do"; }
fi
REPRISE_LIBRARY=$kept venv/bin/python -c 'import reprise; print(reprise.library_path)' >path.log
grep -q "^$kept" path.log || fail "REPRISE_LIBRARY is not taken"
echo "done"
