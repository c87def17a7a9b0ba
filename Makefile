# SPDX-License-Identifier: BSD-3-Clause
# Each target does all of its own set-up: Python >= 3.10 with venv, a C++ compiler and make suffice.
# Environments and builds are kept (.venv*, build/) and brought up to date when their inputs change.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
CLANGXX ?= clang++
GCC ?= g++
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SEED ?= 1
FUZZ_CALLS ?= 200000
FAULTS ?=
SOAK_SIZE ?= 1
# What a strict build adds; CI calls make with STRICT=1.
STRICT ?=
WERROR := $(if $(STRICT),--config-settings=cmake.define.SPECFAST_WERROR=ON)

comma := ,
PIP := -m pip --disable-pip-version-check --quiet
PY := .venv/bin/python
PY_PARITY := .venv-parity/bin/python
PY_ADAPTERS := .venv-adapters/bin/python
PY_FRONT_ENDS := .venv-front-ends/bin/python
PY_BENCH := .venv-bench/bin/python
PY_DOCS := .venv-docs/bin/python
# What the installed package is made of.  (The C++ build itself is incremental: build/make.)
SOURCES := CMakeLists.txt pyproject.toml $(shell find cmake cpp python -type f -not -name '*.pyc')
# Nothing of the user's environment may stand in for the installed package.
unexport PYTHONPATH PYTHONHOME

.PHONY: help demo test bench lint format parity adapters golden front-ends front-ends-golden sanitize test-clang test-no-openmp accuracy test-kernels test-differential test-docs test-realtime embedding vamp fuzz fuzz-targets test-threads stages stream audit corpus-faults soak cuda gpu-check review docs wheel test-release wheel-old-glibc clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- Environments --------------------------------------------------------------------------------
# $(call make_venv,FOLDER,MINOR): a virtual environment of Python >= 3.MINOR, with a pip that knows
# dependency groups.
define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, $(2)))' \
	  || { echo "this needs Python >= 3.$(2); $(PYTHON) is $$($(PYTHON) -V 2>&1). Try make PYTHON=python3.12" >&2; exit 1; }
	@echo "== making the environment $(1) with $$($(PYTHON) -V)"
	@test -x $(1)/bin/python || { rm -rf $(1) && $(PYTHON) -m venv $(1); } \
	  || { rm -rf $(1); echo "python -m venv failed: on Debian and Ubuntu, install python3-venv" >&2; exit 1; }
	@$(1)/bin/python $(PIP) install 'pip>=25.1'
endef

.venv/.ready: pyproject.toml
	$(call make_venv,.venv,10)
	@echo "== installing what builds the package"
	@$(PY) $(PIP) install --group build
	@touch $@

.venv/.test: .venv/.ready
	@echo "== installing what the tests need"
	@$(PY) $(PIP) install --group test
	@touch $@

.venv/.fuzz: .venv/.test
	@$(PY) $(PIP) install --group fuzz
	@touch $@

.venv/.lint: .venv/.test
	$(PY) $(PIP) install --group lint
	@touch $@

.venv-review/.ready: pyproject.toml
	$(call make_venv,.venv-review,11)
	@echo "== installing the tools of reviewers"
	@.venv-review/bin/python $(PIP) install --group review
	@touch $@

.venv-parity/.ready: pyproject.toml
	$(call make_venv,.venv-parity,11)
	$(PY_PARITY) $(PIP) install --group parity
	@touch $@

# torch first and alone, as below.
.venv-adapters/.ready: pyproject.toml
	$(call make_venv,.venv-adapters,11)
	$(PY_ADAPTERS) $(PIP) install --group torch
	$(PY_ADAPTERS) $(PIP) install --group adapters
	@touch $@

# torchaudio's compiled libraries load with a torch for CUDA only; it does without them what we call.
.venv-front-ends/.ready: pyproject.toml
	$(call make_venv,.venv-front-ends,11)
	$(PY_FRONT_ENDS) $(PIP) install --group torch
	$(PY_FRONT_ENDS) $(PIP) install --group front-ends
	rm -f .venv-front-ends/lib/python3*/site-packages/torchaudio/lib/*.so
	@touch $@

# torch first, alone: a CPU build of exactly that version will do, and nothing may replace it later.  The
# originals of the presets are peers too.
.venv-bench/.ready: benchmarks/requirements.txt pyproject.toml
	$(call make_venv,.venv-bench,11)
	$(PY_BENCH) $(PIP) install --group torch
	$(PY_BENCH) $(PIP) install -r $< --group front-ends
	rm -f .venv-bench/lib/python3*/site-packages/torchaudio/lib/*.so
	@touch $@

.venv-docs/.ready: pyproject.toml
	$(call make_venv,.venv-docs,11)
	$(PY_DOCS) $(PIP) install --group docs
	@touch $@

# ---- Building and installing ----------------------------------------------------------------------
# $(call build,LOG,PIP-ARGUMENTS): the steps of a build are shown; its whole log, only if it fails.
define build
	@mkdir -p $(dir $(1))
	@$(PY) -m pip --disable-pip-version-check --verbose $(2) --no-build-isolation --no-deps $(WERROR) \
	  2>&1 | $(PY) tools/show_build.py $(1) || { cat $(1); exit 1; }
endef

# One build, one wheel; every environment installs that wheel.
build/wheel/.built: .venv/.ready $(SOURCES)
	@echo "== compiling specfast for each instruction set: a minute or two on two cores"
	@rm -rf build/wheel && mkdir -p build/wheel
	$(call build,build/wheel/log.txt,wheel . -w build/wheel --config-settings=build-dir=build/make)
	@touch $@

# $(call install_wheel,PYTHON,EXTRAS)
define install_wheel
	@echo "== installing specfast$(2)"
	@$(1) $(PIP) install --force-reinstall --no-deps build/wheel/*.whl
	@wheel=(build/wheel/*.whl) && $(1) $(PIP) install "$${wheel[0]}$(2)"
endef

.venv/.installed: build/wheel/.built
	$(call install_wheel,$(PY),[cli])
	@touch $@

.venv-parity/.installed: .venv-parity/.ready build/wheel/.built
	$(call install_wheel,$(PY_PARITY),)
	@touch $@

.venv-adapters/.installed: .venv-adapters/.ready build/wheel/.built
	$(call install_wheel,$(PY_ADAPTERS),)
	@touch $@

.venv-front-ends/.installed: .venv-front-ends/.ready build/wheel/.built
	$(call install_wheel,$(PY_FRONT_ENDS),)
	@touch $@

.venv-bench/.installed: .venv-bench/.ready build/wheel/.built
	$(call install_wheel,$(PY_BENCH),)
	@touch $@

.venv-docs/.installed: .venv-docs/.ready build/wheel/.built
	$(call install_wheel,$(PY_DOCS),[cli])
	@touch $@

# $(call install_variant,NAME,CONFIG-SETTINGS): another build, in a folder that PYTHONPATH puts first.
define install_variant
	@echo "== compiling the variant $(1)"
	@rm -rf build/$(1)/site
	$(call build,build/$(1)/log.txt,install . --target build/$(1)/site \
	  --config-settings=build-dir=build/$(1)/cmake $(2))
endef

# $(call prove_variant,NAME): that it is this build which Python imports.
prove_variant = $(PY) -c 'import specfast; assert "/build/$(1)/" in specfast.__file__, specfast.__file__; print("variant $(1):", specfast.build_info())'

# ---- What one runs --------------------------------------------------------------------------------
demo: .venv/.installed ## a real recording becomes a mel spectrogram and a picture
	PATH="$(CURDIR)/.venv/bin:$$PATH" $(PY) examples/demo.py

test: .venv/.installed .venv/.test ## the test suite against the installed package (PYTEST_ARGS="-k mel")
	$(PY) -m pytest $(PYTEST_ARGS)

parity: .venv-parity/.installed ## the same numbers as an installed Keras, JAX on the CPU
	KERAS_BACKEND=jax JAX_PLATFORMS=cpu $(PY_PARITY) -m pytest tests/parity $(PYTEST_ARGS)

adapters: .venv-adapters/.installed ## the adapters on JAX, TensorFlow and torch, and the training example
	status=0; for backend in jax tensorflow torch; do \
	  KERAS_BACKEND=$$backend $(PY_ADAPTERS) -m pytest tests/adapters $(PYTEST_ARGS) || status=1; \
	done; \
	$(PY_ADAPTERS) examples/train_keras.py || status=1; exit $$status

golden: .venv-parity/.installed ## regenerate the golden values with Keras
	KERAS_BACKEND=jax JAX_PLATFORMS=cpu $(PY_PARITY) tests/golden/make_golden.py

front-ends: .venv-front-ends/.installed ## the presets against the programs that they are made after
	$(PY_FRONT_ENDS) -m pytest tests/originals $(PYTEST_ARGS)

front-ends-golden: .venv-front-ends/.installed ## regenerate what these programs compute for the test suite
	$(PY_FRONT_ENDS) tests/golden/make_front_ends.py
	$(PY_FRONT_ENDS) tests/golden/make_inverse.py

bench: .venv-bench/.installed ## time the workloads against the peers (BENCH_ARGS="--quick")
	$(PY_BENCH) -m benchmarks $(BENCH_ARGS)

docs: .venv-docs/.installed ## the guide, a gallery and the reference as a site in build/site (requires Doxygen)
	$(PY_DOCS) tools/build_site.py build/site

# The sanitizers' run-time libraries must be loaded before Python itself.  Python leaks by design;
# a request for absurdly much memory must come back as an error, not end the process.  One test is left
# out: before LLVM 18's run-time library (llvm-project pull request 75290) a child that a process of
# several threads forks may find the sanitizer's own allocator locked, and hang; every other run of the
# suite has that test.  Another runs apart, without the store of freed memory that looks like growth.
FORK_OF_THREADS := tests/engine/test_engine.py::test_fork_while_threads_call_the_same_layer
GROWTH := tests/cli/test_cli_pipe.py::test_stream_is_live_and_does_not_grow
SANITIZED := --config-settings=cmake.build-type=RelWithDebInfo --config-settings=install.strip=false \
  --config-settings=cmake.define.CMAKE_CXX_COMPILER=$(GCC) --config-settings=cmake.define.SPECFAST_BUILD_FUZZ=ON \
  --config-settings=cmake.define.SPECFAST_SANITIZE=address$(comma)undefined
sanitize: .venv/.installed .venv/.test ## the test suite under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call install_variant,asan,$(SANITIZED))
	export PYTHONPATH="$(CURDIR)/build/asan/site" \
	  LD_PRELOAD="$(foreach lib,asan ubsan stdc++,$(shell $(GCC) -print-file-name=lib$(lib).so))" \
	  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:detect_odr_violation=2 \
	  UBSAN_OPTIONS=print_stacktrace=1; \
	$(call prove_variant,asan) && \
	ASAN_OPTIONS="$$ASAN_OPTIONS:quarantine_size_mb=1:thread_local_quarantine_size_kb=16" \
	  $(PY) -m pytest -q -o timeout=1200 $(GROWTH) && \
	$(PY) -m pytest -o timeout=1200 --deselect $(FORK_OF_THREADS) --deselect $(GROWTH) $(PYTEST_ARGS)

fuzz: .venv/.ready ## generated calls of the C ABI under the sanitizers (FUZZ_SEED=1 FUZZ_CALLS=200000)
	$(call install_variant,asan,$(SANITIZED))
	export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1; \
	build/asan/cmake/tests/capi/capi_fuzz $(FUZZ_SEED) $(FUZZ_CALLS) && \
	.venv/bin/cmake --build build/asan/cmake --target doc_tests && \
	.venv/bin/ctest --no-tests=error --test-dir build/asan/cmake --output-on-failure -R doc_

# $(call sanitized_programs,FOLDER,SANITIZERS,TARGET): programs of tests/ on a library without OpenMP,
# by Clang, whose sanitizers are those of libFuzzer and know std::thread.
define sanitized_programs
	PATH="$(CURDIR)/.venv/bin:$$PATH" cmake -S . -B build/$(1) -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	  -DCMAKE_CXX_COMPILER=$(CLANGXX) -DSPECFAST_SANITIZE=$(2) -DSPECFAST_BUILD_FUZZ=ON -DSPECFAST_OPENMP=OFF \
	  $(if $(STRICT),-DSPECFAST_WERROR=ON)
	.venv/bin/cmake --build build/$(1) --target $(3)
endef

FUZZ_SECONDS ?= 5
fuzz-targets: .venv/.installed .venv/.fuzz ## what libFuzzer finds in the engine and in readers of files, requires Clang (FUZZ_SECONDS=60)
	$(call sanitized_programs,fuzz,fuzzer-no-link$(comma)address$(comma)undefined,fuzz_targets)
	$(PY) tests/fuzz/run.py build/fuzz --seconds $(FUZZ_SECONDS)

# Before LLVM 18 its run-time library does not start where addresses have 32 random bits.
NOT_RANDOM = $(shell ! setarch --addr-no-randomize true 2>/dev/null || echo setarch --addr-no-randomize)
test-threads: .venv/.ready ## sixteen threads on the same plans under ThreadSanitizer, requires Clang
	$(call sanitized_programs,tsan,thread,capi_threads)
	TSAN_OPTIONS=halt_on_error=1 $(NOT_RANDOM) build/tsan/tests/capi/capi_threads

test-clang: .venv/.installed .venv/.test ## the test suite on a build by Clang
	$(call install_variant,clang,--config-settings=cmake.define.CMAKE_CXX_COMPILER=$(CLANGXX))
	export PYTHONPATH="$(CURDIR)/build/clang/site"; \
	$(call prove_variant,clang); $(PY) -m pytest $(PYTEST_ARGS)

test-no-openmp: .venv/.installed .venv/.test ## the test suite on a build by GCC without OpenMP, on the kernels for unknown architectures
	$(call install_variant,no-openmp,--config-settings=cmake.define.CMAKE_CXX_COMPILER=$(GCC) \
	  --config-settings=cmake.define.SPECFAST_OPENMP=OFF \
	  --config-settings=cmake.define.SPECFAST_GENERIC_KERNELS=ON)
	export PYTHONPATH="$(CURDIR)/build/no-openmp/site" SPECFAST_ISA=generic; \
	$(call prove_variant,no-openmp); $(PY) -m pytest $(PYTEST_ARGS)

# The C++ programs that are not part of the wheel.
build/programs/build.ninja: .venv/.ready $(SOURCES) $(wildcard tests/differential/* tests/docs/* tests/kernels/* tests/realtime/* tests/soak/*.cpp tests/capi/* benchmarks/stages/* benchmarks/stream/*)
	PATH="$(CURDIR)/.venv/bin:$$PATH" cmake -S . -B build/programs -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -DSPECFAST_BUILD_TESTS=ON -DSPECFAST_BUILD_FUZZ=ON -DSPECFAST_BUILD_BENCHMARKS=ON -DSPECFAST_GENERIC_KERNELS=ON $(if $(STRICT),-DSPECFAST_WERROR=ON)
	@touch $@

test-kernels: build/programs/build.ninja ## accuracy of the elementary functions of tables, and of the kernels' on every instruction set
	.venv/bin/cmake --build build/programs --target kernel_tests
	cd build/programs && "$(CURDIR)/.venv/bin/ctest" --no-tests=error --output-on-failure -R math_

test-differential: build/programs/build.ninja ## that instruction sets differ by rounding only, over generated configurations
	.venv/bin/cmake --build build/programs --target differential
	cd build/programs && "$(CURDIR)/.venv/bin/ctest" --no-tests=error --verbose -R differential_

test-docs: build/programs/build.ninja ## that the C and C++ programs of the guide compile and print what it says
	.venv/bin/cmake --build build/programs --target doc_tests
	cd build/programs && "$(CURDIR)/.venv/bin/ctest" --no-tests=error --output-on-failure -R doc_

accuracy: .venv/.installed .venv/.test ## the error of transforms of hundreds of lengths, to 2^20, in a few minutes
	$(PY) tools/measure_accuracy.py

# A build with a C compiler's and CMake's defaults, as other programs use it; the wheel is that of .venv.
EMBEDDING := build/embedding
embedding: .venv/.installed .venv/.test ## the C and C++ library: installed, moved, its examples built and run in every way
	PATH="$(CURDIR)/.venv/bin:$$PATH" cmake -S . -B $(EMBEDDING)/build -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_INSTALL_PREFIX="$(CURDIR)/$(EMBEDDING)/prefix" $(if $(STRICT),-DSPECFAST_WERROR=ON) \
	  -DSPECFAST_BUILD_VAMP=$(if $(VAMP),ON,OFF)
	.venv/bin/cmake --build $(EMBEDDING)/build
	rm -rf $(EMBEDDING)/prefix
	.venv/bin/cmake --install $(EMBEDDING)/build
	PATH="$(CURDIR)/.venv/bin:$$PATH" SPECFAST_PREFIX="$(CURDIR)/$(EMBEDDING)/prefix" \
	  $(PY) -m pytest tests/embedding $(if $(VAMP),tests/vamp) $(PYTEST_ARGS)

vamp: ## the same with the Vamp plugin, run by its host (requires vamp-plugin-sdk and vamp-examples)
	$(MAKE) embedding VAMP=1 PYTEST_ARGS="$(PYTEST_ARGS)"

test-realtime: build/programs/build.ninja ## that pushes into streams allocate, lock and call nothing, on every instruction set
	.venv/bin/cmake --build build/programs --target realtime_tests
	cd build/programs && "$(CURDIR)/.venv/bin/ctest" --no-tests=error --verbose -R realtime_

stream: build/programs/build.ninja ## how long pushes into streams take, in C++ (SPECFAST_ISA chooses the kernels)
	.venv/bin/cmake --build build/programs --target stream_latency
	build/programs/benchmarks/stream/stream_latency

stages: build/programs/build.ninja ## where a tile's time goes (SPECFAST_ISA chooses the kernels)
	.venv/bin/cmake --build build/programs --target stages
	build/programs/benchmarks/stages/stages

audit: build/wheel/.built ## which symbols and instructions each instruction set's object holds
	$(PY) tools/audit_isa.py build/make/isa_objects.txt

# Linux only: it reads /proc, and mounts a small disk in a namespace of its own.
corpus-faults: .venv/.installed .venv/.test ## faults at random moments of runs over a corpus (FAULTS="--times 20")
	$(PY) -m benchmarks.corpus.faults $(FAULTS)

# Linux only. What it does is multiplied by SOAK_SIZE: 0.001 takes some minutes, 1 most of a day. Each
# part runs even if one before it fails; 5 is pytest's status where PYTEST_ARGS chooses none of it.
SOAK := -m pytest -o timeout=86400 --size $(SOAK_SIZE) $(PYTEST_ARGS)
SOAK_CALLS = $(shell awk 'BEGIN { printf "%d", 1000000 * $(SOAK_SIZE) + 1000 }')
SOAK_PUSHES = $(shell awk 'BEGIN { printf "%d", 100000000 * $(SOAK_SIZE) + 1000 }')
soak: .venv/.installed .venv/.test .venv-adapters/.installed build/programs/build.ninja ## very many calls, pushes, processes and faults; hours (SOAK_SIZE=0.001 for minutes)
	.venv/bin/cmake --build build/programs --target capi_fuzz realtime_tests failing_malloc
	status=0; programs=build/programs/tests; \
	for isa in $$($(PY) -c 'import specfast; print(*specfast.build_info()["available_isas"], "generic")'); do \
	  echo "== $$isa"; export SPECFAST_ISA=$$isa; \
	  FUZZ_GUARDS=1 $$programs/capi/capi_fuzz $(FUZZ_SEED) $(SOAK_CALLS) || status=1; \
	  $$programs/realtime/realtime_host $$programs/realtime/librealtime_plugin.so $(SOAK_PUSHES) || status=1; \
	done; unset SPECFAST_ISA; \
	$(PY) $(SOAK) tests/soak --ignore tests/soak/test_soak_data_loader.py || test $$? = 5 || status=1; \
	$(PY_ADAPTERS) $(SOAK) tests/soak/test_soak_data_loader.py || test $$? = 5 || status=1; exit $$status

# NVIDIA's compiler comes with the build; no GPU is needed. CUDA_SETTINGS=--config-settings=... adds to it.
CUDA_SETTINGS ?=
cuda: .venv/.ready ## the library for NVIDIA GPUs: compiled for all of them, audited; a wheel in build/cuda
	@rm -rf build/cuda && mkdir -p build/cuda
	@echo "== compiling for each architecture: some minutes"
	@$(PY) -m pip --disable-pip-version-check --verbose wheel --no-deps -w build/cuda packages/cuda13 $(WERROR) \
	  --config-settings=cmake.define.SPECFAST_PTXAS_INFO=ON $(CUDA_SETTINGS) >build/cuda/log.txt 2>&1 \
	  || { cat build/cuda/log.txt; exit 1; }
	$(PY) tools/audit_cuda.py build/cuda/log.txt build/cuda/*.whl

gpu-check: ## what takes a GPU: numbers, compute-sanitizer, times
	tools/gpu_check.sh

CXX_FILES = $(shell find cpp integrations tests/capi tests/cuda tests/differential tests/fuzz tests/soak tools -name '*.[ch]pp' -o -name '*.h' -o -name '*.inl' -o -name '*.c' -o -name '*.cu')
lint: .venv/.lint .venv/.installed ## ruff, clang-format, mypy (for Windows too), drift of the stubs
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/clang-format --dry-run --Werror $(CXX_FILES)
	$(PY) -m mypy
	$(PY) -m mypy --platform win32 --no-warn-unreachable python
	$(PY) tools/check_stubs.py python/specfast/_core.pyi

review: .venv-review/.ready .venv/.test build/wheel/.built ## what reviewers' tools say of the repository and its wheel
	tools/review.sh "$(CURDIR)/.venv-review/bin" "$(CURDIR)/.venv/bin/python" build/wheel/*.whl

format: .venv/.lint ## let ruff and clang-format apply their fixes
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	.venv/bin/clang-format -i $(CXX_FILES)

wheel: .venv/.ready ## source release and wheel in dist/
	$(PY) $(PIP) install build
	$(PY) -m build --outdir dist

# The wheel as it was built, and repaired as for the package index.
test-release: .venv/.ready .venv-review/.ready ## the whole suite on wheels made from the source release, without a compiler on the PATH; an hour
	rm -rf build/release
	bash .ci/release build/release
	PATH="$(CURDIR)/.venv-review/bin:$$PATH" auditwheel repair --wheel-dir build/release/repaired build/release/*.whl
	status=0; for wheel in build/release/*.whl build/release/repaired/*.whl; do \
	  PYTHON="$(CURDIR)/$(PY)" tools/test_wheel.sh "$$wheel" build/release/*.tar.gz $(PYTEST_ARGS) || status=1; \
	done; exit $$status

wheel-old-glibc: .venv/.ready .venv-review/.ready ## a wheel for glibc 2.28 in build/old-glibc/repaired, on a newer Debian of x86-64
	.venv-review/bin/python $(PIP) install --group old-glibc
	tools/old_glibc.sh build/old-glibc "$(CURDIR)/.venv-review/bin" "$(CURDIR)/$(PY)"

clean: ## remove builds and environments
	rm -rf build dist .venv .venv-review .venv-parity .venv-adapters .venv-front-ends .venv-bench .venv-docs .pytest_cache .mypy_cache .ruff_cache .hypothesis
