# SPDX-License-Identifier: BSD-3-Clause
"""Compares the type stubs of the compiled module with the module itself.

Every public function, class, method and property must stand in both, with the same parameters:
names, order, kinds (positional or keyword-only) and which of them have a default.  pybind11 writes
the signature into the first lines of each docstring; it is read from there.  Types are not
compared: the stubs are finer than what pybind11 knows.

usage: check_stubs.py STUB [MODULE]        (MODULE: specfast._core)

Exit status: 0 if they agree, 1 if they have drifted apart or nothing could be compared.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

# A member is one of: a class ("class"), an attribute or property ("value"), or the signatures of a
# function: one text per overload.
Members = dict[str, list[str] | str]

COMPARED_DUNDERS = {"__call__", "__init__"}
NUMBERED = re.compile(r"^\d+\. (.*)$")


def is_compared(name: str) -> bool:
    return not name.startswith("_") or name in COMPARED_DUNDERS


def describe(arguments: ast.arguments) -> str:
    """The parameters without types: ``x, out=..., *, n=...``; ``self`` is left out."""
    parts: list[str] = []
    positional = arguments.posonlyargs + arguments.args
    first_default = len(positional) - len(arguments.defaults)
    for i, argument in enumerate(positional):
        if i == 0 and argument.arg == "self":
            continue
        parts.append(argument.arg + ("=..." if i >= first_default else ""))
    if arguments.vararg is not None:
        parts.append("*" + arguments.vararg.arg)
    elif arguments.kwonlyargs:
        parts.append("*")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parts.append(argument.arg + ("=..." if default is not None else ""))
    if arguments.kwarg is not None:
        parts.append("**" + arguments.kwarg.arg)
    return ", ".join(parts)


def parse_signature(line: str) -> str | None:
    """The parameters in a line such as ``f(x: int, *, n: int = 1) -> None``, if it is one."""
    # pybind11 shows a default that has no literal, an object say, as <...>.
    line = re.sub(r"= <[^>]*>", "= ...", line)
    try:
        node = ast.parse(f"def {line}: ...").body[0]
    except SyntaxError:
        return None
    return describe(node.args) if isinstance(node, ast.FunctionDef) else None


def signatures_of_docstring(name: str, doc: str | None) -> list[str]:
    """Every signature that pybind11 wrote into a docstring; more than one for overloads."""
    lines = (doc or "").splitlines()
    candidates = lines[:1]
    if lines and lines[0].startswith(f"{name}(*args, **kwargs)"):
        candidates = [match[1] for line in lines if (match := NUMBERED.match(line))]
    found = [parse_signature(line) for line in candidates if line.startswith(f"{name}(")]
    return [text for text in found if text is not None]


def members_of_stub(body: list[ast.stmt], prefix: str = "") -> Members:
    members: Members = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            members[prefix + node.name] = "class"
            members |= members_of_stub(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and is_compared(node.name):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if "property" in decorators:
                members[prefix + node.name] = "value"
                continue
            known = members.setdefault(prefix + node.name, [])
            if isinstance(known, list):
                known.append(describe(node.args))
        elif isinstance(node, ast.AnnAssign) and is_compared(ast.unparse(node.target)):
            members[prefix + ast.unparse(node.target)] = "value"
    return members


def members_of_module(owner: ModuleType | type, prefix: str = "") -> Members:
    members: Members = {}
    for name, value in vars(owner).items():
        if not is_compared(name) or isinstance(value, ModuleType):
            continue
        if isinstance(value, type):
            members[prefix + name] = "class"
            members |= members_of_module(value, f"{prefix}{name}.")
        elif callable(value):
            if name == "__init__" and "__init__(" not in (value.__doc__ or ""):
                continue  # pybind11 gives every class without a constructor one that refuses
            members[prefix + name] = signatures_of_docstring(name, value.__doc__)
        else:
            members[prefix + name] = "value"
    return members


def compare(stub: Members, module: Members) -> list[str]:
    """Returns a line for each difference."""
    drift = [f"{name}: in the stub, not in the module" for name in stub if name not in module]
    drift += [f"{name}: in the module, not in the stub" for name in module if name not in stub]
    for name in sorted(stub.keys() & module.keys()):
        if isinstance(module[name], list) and not module[name]:
            drift.append(f"{name}: its docstring holds no signature of pybind11's")
        elif stub[name] != module[name]:
            drift.append(f"{name}: stub says {stub[name]}, module says {module[name]}")
    return drift


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Drift between stubs and compiled module.")
    parser.add_argument("stub", type=Path)
    parser.add_argument("module", nargs="?", default="specfast._core")
    args = parser.parse_args(argv)
    stub = members_of_stub(ast.parse(args.stub.read_text(encoding="utf-8")).body)
    module = members_of_module(importlib.import_module(args.module))
    drift = compare(stub, module)
    if not stub or not module:
        drift.append(f"nothing to compare: {len(stub)} names in stub, {len(module)} in module")
    for line in drift:
        print(f"DRIFT: {line}", file=sys.stderr)
    counts = f"{len(stub)} names in {args.stub}, {len(module)} in {args.module}"
    print(f"stubs: {counts}, {len(drift)} differ")
    return 1 if drift else 0


if __name__ == "__main__":
    sys.exit(main())
