#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What reviewers' tools say of the repository and of its wheel; `make review` runs it.
#
#     tools/review.sh TOOLS PYTHON WHEEL
#
# TOOLS is the folder of the tools, PYTHON an interpreter with NumPy and pyelftools, WHEEL the wheel.
# Each check prints one line, and its output if it fails; all of them run.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$1:$PATH" python=$2 wheel=$3 failed=()
export PATH
log=$(mktemp)
trap 'rm -rf "$log" "$log.conan"' EXIT

check() { # check NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok      $name"
  else
    echo "FAILED  $name"
    cat "$log"
    failed+=("$name")
  fi
}

schema() { check-jsonschema --builtin-schema "vendor.$1" "${@:2}"; }

files=$(git ls-files -co --exclude-standard)
forms=$(grep -v config.yml <<<"$(printf '%s\n' .github/ISSUE_TEMPLATE/*.yml)")

check sp-repo-review sp-repo-review .
check validate-pyproject validate-pyproject pyproject.toml packages/*/pyproject.toml
check pre-commit pre-commit validate-config
check nox nox --list
check codespell codespell $(grep -v ' ' <<<"$files")
check rumdl rumdl check --no-cache .
# Who wrote it and where it lives are not stated: nine and ten are for those.
check pyroma pyroma --min=8 .
check CITATION.cff schema citation-file-format --force-filetype yaml CITATION.cff
check dependabot schema dependabot .github/dependabot.yml
check "issue forms" schema github-issue-forms $forms
check "workflows' schema" schema github-workflows .github/workflows/*.yml
check "workflows' time limits" \
  check-jsonschema --builtin-schema custom.github-workflows-require-timeout .github/workflows/*.yml
check zizmor zizmor --offline --no-progress .
check conan env CONAN_HOME="$log.conan" conan inspect packages/conan
check rattler-build python3 -c 'import rattler_build as r
variants = r.VariantConfig.from_yaml("python: [\"3.13\"]\nc_stdlib: [sysroot]\n")
r.Stage0Recipe.from_file("packages/conda/recipe.yaml").render(variants)'
if [ -x "$1/actionlint" ]; then
  check actionlint actionlint
else
  echo "absent  actionlint: no wheel of it for this machine"
fi
check twine twine check --strict "$wheel"
check check-wheel-contents check-wheel-contents "$wheel"
if [ "$(uname -s)" = Linux ]; then
  rm -rf build/repaired
  check "auditwheel repair" auditwheel repair --wheel-dir build/repaired "$wheel"
  check "install the repaired wheel" \
    "$python" -m pip install --quiet --no-deps --target build/repaired/site build/repaired/*.whl
  check "the repaired wheel" env PYTHONPATH=build/repaired/site "$python" tools/check_wheel.py
fi
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
