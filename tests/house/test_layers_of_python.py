# SPDX-License-Identifier: BSD-3-Clause
"""The layers of the Python package: imports point one way, and private names stay at home.

Each rule is a function from the package's sources to a list of complaints. It is applied to this
package, where it must find nothing, and to the package with a planted violation, where it must
find that. Imports inside functions and under TYPE_CHECKING count like all others.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Sources = dict[str, str]  # path below python/, and text
Rule = Callable[[Sources], list[str]]

# The first pattern that fits a path below python/specfast/ gives its layer.
LAYERS = [
    (r"_core\.pyi", "core"),
    (r"_spec/\w+\.py", "spec"),
    (r"_engine/\w+\.py", "engine"),
    (r"layers/catalogue\.py", "catalogue"),
    (r"layers/\w+\.py", "layers"),
    (r"_audio/\w+\.py", "recordings"),
    (r"audio\.py", "leaf"),
    (r"_plot/\w+\.py", "drawing"),
    (r"plot\.py", "pictures"),
    (r"_keras_file/\w+\.py", "keras_file"),
    (r"keras_files\.py", "keras_files"),
    (r"presets\.py", "presets"),
    (r"_front_file/\w+\.py", "front_file"),
    (r"front_files\.py", "front_files"),
    (r"_doctor/\w+\.py", "examination"),
    (r"doctor\.py", "doctor"),
    (r"_hugging_face/\w+\.py", "drop_in"),
    (r"huggingface\.py", "drop_ins"),
    (r"_corpus/(formats/)?\w+\.py", "corpora"),
    (r"corpus/\w+\.py", "corpus"),
    (r"_adapters/\w+\.py", "adapters"),
    (r"(jax|torch)\.py", "framework"),
    (r"keras\.py", "keras"),
    (r"_cli/\w+\.py", "commands"),
    (r"(cli|__main__)\.py", "cli"),
    (r"__init__\.py", "face"),
]
# layer -> the layers that it may import
MAY_IMPORT = {
    "core": set(),
    "spec": {"core", "spec"},
    "engine": {"core", "spec", "engine"},
    "layers": {"spec", "engine", "layers"},
    "catalogue": {"spec", "layers"},
    "recordings": {"spec", "recordings"},
    "leaf": {"spec", "recordings"},
    "drawing": {"spec", "layers", "drawing"},
    "pictures": {"spec", "layers", "leaf", "drawing"},
    "keras_file": {"spec", "catalogue", "keras_file"},
    "keras_files": {"spec", "engine", "layers", "catalogue", "keras_file"},
    "presets": {"spec", "layers"},
    "front_file": {"spec", "front_file"},
    "front_files": {"spec", "engine", "layers", "front_file", "keras_files"},
    "examination": {"spec", "layers", "front_files", "examination"},
    "doctor": {"spec", "leaf", "examination"},
    "drop_in": {"spec", "layers", "front_file", "drop_in"},
    "drop_ins": {"spec", "drop_in"},
    "corpora": {"spec", "engine", "layers", "front_files", "recordings", "leaf", "corpora"},
    "corpus": {"spec", "layers", "corpora", "corpus"},
    "adapters": {"spec", "engine", "layers", "catalogue", "adapters"},
    "framework": {"spec", "engine", "layers", "catalogue", "adapters"},
    "keras": {"spec", "engine", "layers", "catalogue", "adapters", "framework"},
    "commands": {
        "spec",
        "engine",
        "layers",
        "catalogue",
        "front_files",
        "recordings",
        "leaf",
        "drawing",
        "doctor",
        "corpora",
        "corpus",
        "commands",
    },
    "cli": {"commands", "cli"},
    "face": {
        "spec",
        "engine",
        "layers",
        "keras_files",
        "presets",
        "front_files",
        "doctor",
        "corpus",
        "pictures",
    },
}


def sources(root: Path = ROOT) -> Sources:
    python = root / "python"
    files = sorted([*python.rglob("*.py"), *python.rglob("*.pyi")])
    return {path.relative_to(python).as_posix(): path.read_text("utf-8") for path in files}


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """Returns all nodes of a text; one that a violation is planted in is another text."""
    return tuple(ast.walk(ast.parse(text)))


@cache
def layer_of(path: str) -> str:
    inside = path.removeprefix("specfast/")
    return next((layer for pattern, layer in LAYERS if re.fullmatch(pattern, inside)), "unknown")


def file_of(module: str, package: Sources) -> str | None:
    """Returns the file of a module, if it is one of the package."""
    stem = module.replace(".", "/")
    candidates = (f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi")
    return next((path for path in candidates if path in package), None)


def imports(path: str, package: Sources) -> Iterator[str]:
    """Yields the files of this package that a file imports."""
    folder = path.removesuffix("/__init__.py").split("/")
    if not path.endswith("/__init__.py"):
        folder = folder[:-1]
    for node in nodes(package[path]):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            wanted = [(module, alias.name) for alias in node.names]
        else:
            continue
        for module, name in wanted:
            found = file_of(f"{module}.{name}", package) if name else None
            found = found or file_of(module, package)
            if found is not None:
                yield found


# ---- Rules -------------------------------------------------------------------------------------


def every_file_has_a_layer(package: Sources) -> list[str]:
    return [path for path in package if layer_of(path) == "unknown"]


def imports_point_one_way(package: Sources) -> list[str]:
    return [
        f"{path} ({layer_of(path)}) imports {other} ({layer_of(other)})"
        for path in package
        for other in imports(path, package)
        if layer_of(other) not in MAY_IMPORT.get(layer_of(path), set())
    ]


def nobody_imports_the_face(package: Sources) -> list[str]:
    """A name taken from `specfast` itself loads everything, and may be missing half way."""
    return [
        f"{path} imports specfast"
        for path in package
        if "specfast/__init__.py" in imports(path, package)
    ]


def imports_are_no_circle(package: Sources) -> list[str]:
    graph = {path: set(imports(path, package)) for path in package}
    complaints: list[str] = []
    done: set[str] = set()

    def visit(path: str, way: list[str]) -> None:
        if path in way:
            complaints.append(" imports ".join([*way[way.index(path) :], path]))
        elif path not in done:
            for other in sorted(graph[path]):
                visit(other, [*way, path])
            done.add(path)

    for path in graph:
        visit(path, [])
    return complaints


def private_names_stay_in_their_file(package: Sources) -> list[str]:
    """`x._name` is for the file that defines `_name`; a subclass may say `self._name`."""
    complaints = []
    for path, text in package.items():
        own = {
            node.attr
            for node in nodes(text)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        own |= {node.name for node in nodes(text) if isinstance(node, ast.FunctionDef)}
        complaints += [
            f"{path}:{node.lineno}: {node.module}.{alias.name}"
            for node in nodes(text)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if re.match(r"_(?!_)", alias.name)
            and file_of(f"{node.module}.{alias.name}", package) is None
        ]
        for node in nodes(text):
            if not isinstance(node, ast.Attribute) or not re.match(r"_(?!_)", node.attr):
                continue
            whole = ast.unparse(node)
            if node.attr not in own and not re.match(r"(self|cls|super\(\)|sys|torch)\.", whole):
                complaints.append(f"{path}:{node.lineno}: {whole}")
    return complaints


# ---- The rules hold here, and each can fail ----------------------------------------------------

# rule, file, text to append, what the complaint must name
PLANTED: list[tuple[Rule, str, str, str]] = [
    (every_file_has_a_layer, "specfast/attic/old.py", "", "attic/old.py"),
    (
        imports_point_one_way,
        "specfast/_spec/axes.py",
        "from specfast._engine import arrays",
        "spec",
    ),
    (
        imports_point_one_way,
        "specfast/_engine/stream.py",
        "if TYPE_CHECKING:\n    from specfast.layers.layer import Layer",
        "layers/layer.py",
    ),
    (imports_point_one_way, "specfast/layers/mel.py", "from . import catalogue", "catalogue"),
    (
        imports_point_one_way,
        "specfast/keras_files.py",
        "def f():\n    import specfast.jax",
        "jax.py",
    ),
    (
        imports_point_one_way,
        "specfast/_front_file/keys.py",
        "from specfast import front_files",
        "front_files.py",
    ),
    (
        imports_point_one_way,
        "specfast/front_files.py",
        "def f():\n    from specfast import huggingface",
        "huggingface.py",
    ),
    (imports_point_one_way, "specfast/audio.py", "from specfast.layers import mel", "mel.py"),
    (
        imports_point_one_way,
        "specfast/_plot/rows.py",
        "def f():\n    from specfast import plot",
        "plot.py",
    ),
    (
        imports_point_one_way,
        "specfast/_doctor/clip.py",
        "from specfast import doctor",
        "doctor.py",
    ),
    (imports_point_one_way, "specfast/torch.py", "from specfast import keras", "keras.py"),
    (
        imports_point_one_way,
        "specfast/_corpus/item.py",
        "def f():\n    from specfast import corpus",
        "corpus/__init__.py",
    ),
    (
        imports_point_one_way,
        "specfast/_audio/files.py",
        "from specfast.audio import read_audio",
        "audio.py",
    ),
    (
        nobody_imports_the_face,
        "specfast/_adapters/functional.py",
        "from specfast import MelSpectrogram",
        "functional.py",
    ),
    (nobody_imports_the_face, "specfast/jax.py", "import specfast", "jax.py"),
    (
        imports_are_no_circle,
        "specfast/_spec/checks.py",
        "def f():\n    from specfast._spec import windows",
        "specfast/_spec/checks.py imports specfast/_spec/windows.py",
    ),
    (
        private_names_stay_in_their_file,
        "specfast/torch.py",
        "def f(layer):\n    return layer._pipeline",
        "layer._pipeline",
    ),
    (
        private_names_stay_in_their_file,
        "specfast/jax.py",
        "from specfast.layers.layer import _keywords",
        "_keywords",
    ),
]
RULES = list(dict.fromkeys(rule for rule, *_ in PLANTED))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Rule) -> None:
    assert rule(sources()) == []


@pytest.mark.parametrize(
    ("rule", "path", "text", "named"),
    PLANTED,
    ids=[f"{rule.__name__}-{i}" for i, (rule, *_) in enumerate(PLANTED)],
)
def test_rule_can_fail(rule: Rule, path: str, text: str, named: str) -> None:
    package = sources()
    before = set(rule(package))
    package[path] = package.get(path, "") + f"\n{text}\n"
    new = set(rule(package)) - before
    assert any(named in complaint for complaint in new), new


def test_every_layer_is_in_use() -> None:
    """A table that names layers which nobody has would check nothing."""
    assert (
        {layer_of(path) for path in sources()} == set(MAY_IMPORT) == {name for _, name in LAYERS}
    )
