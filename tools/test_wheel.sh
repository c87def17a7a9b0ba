#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The whole test suite against a wheel, as somebody has it who has never seen the repository.
#
#     tools/test_wheel.sh WHEEL SOURCE-RELEASE [PYTEST-ARGUMENTS...]
#
# The tests are those of the source release, unpacked; WHEEL is installed in a new environment of
# $PYTHON (python3), and no compiler, linker or build tool is on the PATH.  CC and CXX name some for the
# few tests that compile programs of their own.
set -euo pipefail
wheel=$(realpath "$1") source=$(realpath "$2")
shift 2
area=$(mktemp -d)
trap 'rm -rf "$area"' EXIT
python3=$(realpath -s "$(command -v "${PYTHON:-python3}")")
c=${CC:-$(command -v cc)} cxx=${CXX:-$(command -v c++)} ||
  { echo "no cc or no c++ on the PATH, which some tests need"; exit 1; }
unset CFLAGS CXXFLAGS PYTHONPATH PYTHONHOME PYTHONUNBUFFERED

mkdir "$area/release" "$area/commands"
tar xzf "$source" -C "$area/release" --strip-components=1
cd "$area/release"
"$python3" -m venv "$area/env"
python=$area/env/bin/python
"$python" -m pip --disable-pip-version-check --quiet install 'pip>=25.1'
"$python" -m pip --disable-pip-version-check --quiet install "$wheel[cli]" --group test

# The commands of the system, but those that compile; of the environment, all.
for command in /usr/bin/*; do
  case ${command##*/} in
    cc | cc-* | c++ | c++-* | c89* | c99* | *gcc* | *g++* | *clang* | *cpp | *cpp-* | ccache | ld | ld.* | *-ld | *-ld.* | \
      *gold | *mold | lld* | as | *-as | cmake* | ninja* | make | gmake | python*) ;;
    *) ln -s "$command" "$area/commands/" 2>/dev/null || true ;;
  esac
done
export PATH="$area/env/bin:$area/commands"
for command in cc c++ gcc g++ clang clang++ ld gold mold as make cmake ninja; do
  if command -v "$command"; then echo "there is a compiler"; exit 1; fi
done

# GCC looks for assembler and linker on the PATH, unless it is told where they are.
export CC="$c -B/usr/bin/" CXX="$cxx -B/usr/bin/"
"$python" - "$area/env" <<'PYTHON'
import sys
import specfast

assert specfast.__file__.startswith(sys.argv[1]), specfast.__file__
print(sys.version.split()[0], specfast.__version__, specfast.build_info())
PYTHON
"$python" -m pip list --disable-pip-version-check | grep -iE '^(numpy|scipy|pytest) '
"$python" -m pytest -q -p no:cacheprovider "$@"
