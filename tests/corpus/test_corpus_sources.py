# SPDX-License-Identifier: BSD-3-Clause
"""What `specfast batch` takes for clips: files, folders, manifests, lists; and what it refuses."""

from __future__ import annotations

import gzip
import inspect
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from specfast._corpus.folders import AUDIO_SUFFIXES
from specfast._corpus.ids import default_id
from specfast._corpus.item import Item
from specfast._corpus.sources import find_items


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*sources: str, stdin: bytes | None = None, **arguments: Any) -> list[Item]:
    stream = None if stdin is None else io.BytesIO(stdin)
    return list(find_items(list(sources), stdin=stream, **arguments))


def touch(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


def ids(*sources: str, **arguments: Any) -> list[str]:
    return [item.id for item in found(*sources, **arguments)]


# ---- Items and ids -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("id", name) for name in ("", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\nb")),
        *(("id", name) for name in ("a\0b", 3, None, "x" * 201, "ä" * 101, "a\udcff")),
        *(("path", path) for path in ("", None, "a\0b", "https://x/a.wav", "a\udcff.wav")),
        *(("start", start) for start in (-1.0, float("nan"), float("inf"), "1", True)),
        *(("duration", duration) for duration in (0.0, 0, -1, float("nan"), "1", True)),
        *(pytest.param(name, 10**400, id=f"{name}-huge") for name in ("start", "duration")),
        *((name, 1e305) for name in ("start", "duration")),
        *(("channel", channel) for channel in (-1, 65536, 1.0, "0", True)),
    ],
)
def test_an_item_refuses_by_name(field: str, value: Any) -> None:
    values = {"id": "a", "path": "a.wav", field: value}
    with pytest.raises(ValueError, match=f"`{field}` .*Received: {field}="):
        Item(**values)


def test_an_item_takes_what_names_of_files_are() -> None:
    for name in ("a", "a.b", "...", "a/..b/c", "hören/日本", "x" * 200, "/".join(["x" * 200] * 9)):
        assert Item(name, "a.wav").id == name


def test_an_id_that_safetensors_reserves_is_refused() -> None:
    with pytest.raises(ValueError, match="`id` '__metadata__' has a meaning of its own"):
        Item("__metadata__", "a.wav")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/a.wav", "a"),
        ("/data/x/a.b.flac", "x/a.b"),
        ("/data/x.y/a", "x.y/a"),
        ("/data/./x/../a.wav", "a"),
        ("/data//a.wav", "a"),
        ("/database/a.wav", "database/a"),
        ("/data/../b/a.wav", "b/a"),
    ],
)
def test_default_id(path: str, name: str) -> None:
    assert default_id(path, "/data") == name
    assert default_id(path, "/data", 2.0) == name + "@2"
    assert default_id(path, "/data", 2.5, 1) == name + "@2.5#1"
    assert default_id("/data/a.wav", "/") == "data/a"


# ---- Files and folders -------------------------------------------------------------------------


def test_files_are_found_below_the_working_folder(here: Path) -> None:
    touch("a.wav", "x/b.unheard-of")
    assert found("a.wav", "x/b.unheard-of") == [
        Item("a", f"{here}/a.wav"),
        Item("x/b", f"{here}/x/b.unheard-of"),
    ]
    assert ids(f"{here}/x/b.unheard-of") == ["x/b"]


def test_folders_are_searched_in_the_order_of_names(here: Path) -> None:
    names = ["b.wav", "a/z.FLAC", "a/y/1.mp3", "a.ogg", "c/no.txt", "c/.hidden.wav", ".git/x.wav"]
    touch(*(f"data/{name}" for name in names), "data/c/._b.wav")
    assert ids("data") == ["a/y/1", "a/z", "a", "b"]
    assert found("data")[1].path == f"{here}/data/a/z.FLAC"
    assert ids("data/") == ids("./data") == ids(str(here / "data")) == ids("data")
    assert ids("data", suffixes=[".WAV", ".txt"]) == ["b", "c/no"]


def test_every_suffix_is_found() -> None:
    touch(*(f"data/{number:02}{suffix}" for number, suffix in enumerate(AUDIO_SUFFIXES)))
    assert len(ids("data")) == len(AUDIO_SUFFIXES)


def test_links_are_followed_and_loops_are_cut() -> None:
    touch("data/x/a.wav", "elsewhere/b.wav")
    Path("data/loop").symlink_to("../data")
    Path("data/x/up").symlink_to("../../data")
    Path("data/else").symlink_to("../elsewhere")
    Path("data/self.wav").symlink_to("self.wav")
    Path("data/gone.wav").symlink_to("nowhere")
    # What leads nowhere is a clip that cannot be read, and is reported as one.
    assert ids("data") == ["else/b", "gone", "self", "x/a"]


def test_no_folder_is_too_deep(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = 200
    for _ in range(depth):
        Path("d").mkdir()
        monkeypatch.chdir("d")
    Path("a.wav").touch()
    monkeypatch.chdir(here)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + depth // 2)
    try:
        items = found("d")
    finally:
        sys.setrecursionlimit(limit)
    assert items == [Item("d/" * (depth - 1) + "a", f"{here}/{'d/' * depth}a.wav")]


def test_pipes_are_no_recordings() -> None:
    touch("data/a.wav")
    os.mkfifo("data/b.wav")
    assert ids("data") == ["a"]
    with pytest.raises(ValueError, match="'data/b.wav' is neither a file nor a folder"):
        find_items(["data/b.wav"])


def test_unreadable_folders_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    touch("data/a.wav", "data/secret/b.wav")
    scandir = os.scandir

    def refusing(path: str) -> Any:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    # The superuser may read any folder, so the mode of one proves nothing.
    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(PermissionError, match="folder cannot be read.*data/secret"):
        found("data")


def test_an_empty_source_says_what_was_looked_at() -> None:
    touch("data/a.wav", *(f"texts/{number}.txt" for number in range(40)))
    touch("texts/a.jpg", "texts/b.jpg", "texts/c", "texts/d.xyz")
    Path("empty").mkdir()
    seen = "44 files were looked at, and none is a recording (40 .txt, 2 .jpg, 1 without a suffix"
    with pytest.raises(ValueError, match=re.escape(f"'texts' gives no clip: {seen}, 1 others)")):
        found("data", "texts")
    with pytest.raises(ValueError, match="'empty' gives no clip: there are no files in it"):
        found("empty")


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "`sources` must name"),
        (["-", "-"], "'-' once"),
        (["-"], "standard input, which is closed"),
        (["nothing.wav"], "the source cannot be read: No such file.*nothing.wav"),
        (["a\0b"], "cannot be read"),
        (["x" * 5000], "cannot be read"),
        (["list.txt"], "'list.txt' is no recording, and no manifest.*standard input"),
        (["list.json"], "is no recording"),
    ],
)
def test_bad_sources_are_refused_before_any_is_read(sources: list[str], message: str) -> None:
    touch("list.txt", "list.json")
    with pytest.raises((ValueError, OSError), match=message):
        find_items(sources)


def test_bad_arguments() -> None:
    for sources in ("data", [3], [b"data"]):
        with pytest.raises(TypeError, match="`sources` must be a list of paths"):
            find_items(sources)  # type: ignore[arg-type]
    for suffixes in (".wav", [], ["wav"], [3]):
        with pytest.raises(ValueError, match="`suffixes` must"):
            find_items(["."], suffixes=suffixes)  # type: ignore[arg-type]


def test_a_file_without_utf8_in_its_name_is_named() -> None:
    Path("data").mkdir()
    os.close(os.open(b"data/caf\xe9.wav", os.O_CREAT))
    with pytest.raises(ValueError, match=r"caf\\udce9.*must be Unicode.*manifest"):
        found("data")


# ---- Manifests ---------------------------------------------------------------------------------

ROWS = [
    {"path": "a.wav"},
    {"path": "sub/b.wav", "id": "second", "start": 1, "duration": 2.5, "channel": 1, "text": "hi"},
    {"path": "/abs/c.wav", "start": 0.25, "id": None, "duration": None},
    {"path": "sub/b.wav", "start": 3.0, "channel": 0},
    {"path": "d.wav", "id": 17, "start": 0},
]


def expected(folder: str) -> list[Item]:
    return [
        Item("a", f"{folder}/a.wav"),
        Item("second", f"{folder}/sub/b.wav", 1.0, 2.5, 1),
        Item("abs/c@0.25", "/abs/c.wav", 0.25),
        Item("sub/b@3#0", f"{folder}/sub/b.wav", 3.0, None, 0),
        Item("17", f"{folder}/d.wav"),
    ]


def lines(rows: list[Any], end: str = "\n") -> bytes:
    return "".join(json.dumps(row) + end for row in rows).encode()


CSV = (
    "path,id,start,duration,channel,text\n"
    "a.wav,,,,,\n"
    'sub/b.wav,second,1,2.5,1,"he said\n""hi"""\n'
    ",,,,,\n"
    "/abs/c.wav,,0.25,,,\n"
    "sub/b.wav,,3.0,,0,\n"
    "d.wav,17,0,,,\n"
)


def test_manifests_of_all_kinds_say_the_same(here: Path) -> None:
    texts = {
        "m.jsonl": lines(ROWS),
        "windows.jsonl": b"\xef\xbb\xbf" + lines(ROWS, "\r\n\r\n"),
        "M.JSONL": lines(ROWS).rstrip(b"\n"),
        "m.jsonl.gz": gzip.compress(lines(ROWS)),
        "m.csv": CSV.encode(),
        "windows.csv": b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode(),
        "m.csv.gz": gzip.compress(CSV.encode()),
    }
    Path("in").mkdir()
    for name, text in texts.items():
        Path("in", name).write_bytes(text)
    columns = {key: [row.get(key) for row in ROWS] for key in ROWS[1] if key != "id"}
    names = [None if (name := row.get("id")) is None else str(name) for row in ROWS]
    table = pa.table({**columns, "id": names, "embedding": [[1.0]] * len(ROWS)})
    parquet.write_table(table, "in/m.parquet")
    for name in [*texts, "m.parquet"]:
        assert found(f"in/{name}") == expected(f"{here}/in"), name


def test_several_sources_follow_each_other() -> None:
    touch("data/x.wav", "y.wav")
    Path("m.jsonl").write_bytes(lines(ROWS[:1]))
    assert ids("y.wav", "m.jsonl", "data", "-", stdin=b"z.wav\n") == ["y", "a", "x", "z"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "it is no JSON"),
        (b"not json", "it is no JSON .*: not json"),
        (b"[1]", "must be a JSON object. Received: .1."),
        (b"{}", "there is no `path`, only nothing"),
        (b'{"audio_filepath": "a.wav", "id": "x"}', "no `path`, only 'audio_filepath', 'id'"),
        (b'{"path": 3}', "`path` must be a text .*path=3"),
        (b'{"path": ""}', "`path` must"),
        (b'{"path": "s3://b/a.wav"}', "not a URL"),
        (b'{"path": "a.wav", "id": "../a"}', "`id` must be a name"),
        (b'{"path": "a.wav", "id": 1.5}', "`id` must"),
        (
            b'{"path": "a.wav", "start": 1' + b"0" * 400 + b"}",
            "`start` must be a number of seconds",
        ),
        (b'{"path": "a.wav", "start": "1"}', "`start` must be a number of seconds.*start='1'"),
        (b'{"path": "a.wav", "start": true}', "`start` must"),
        (b'{"path": "a.wav", "start": NaN}', "`start` must"),
        (b'{"path": "a.wav", "duration": -1}', "`duration` must"),
        (b'{"path": "a.wav", "duration": 1e999}', "`duration` must"),
        (b'{"path": "a.wav", "channel": 0.5}', "`channel` must"),
        (b'{"path": "a.wav", "offset": 1}', "`offset` is not read"),
        (b'{"path": "a.wav", "start": 1, "end": 2}', "`end` is not read"),
        (b'{"path": "\xe9.wav"}', "it is not UTF-8"),
        (b"[" * 100000, "recursion"),
    ],
)
def test_a_broken_line_is_named_with_its_number(line: bytes, message: str) -> None:
    text = lines(ROWS[:1]) + b"\n" + line + b"\n" + lines(ROWS[1:2])
    Path("m.jsonl").write_bytes(text)
    with pytest.raises(ValueError, match=rf"\A'm.jsonl', line 3: .*{message}") as error:
        found("m.jsonl")
    assert len(str(error.value)) < 500
    with pytest.raises(ValueError, match=r"\Astandard input, line 3: "):
        found("-", stdin=text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.wav\n", "line 1: the first line must name the columns"),
        ("path,path\na.wav,b.wav\n", "line 1: there are two columns `path`"),
        ("path\tid\na.wav\tb\n", "line 1: .*with commas"),
        ("path,id\na.wav,x\nb.wav\n", "line 3: it has 1 cells, and the header 2"),
        ("path,start\na.wav,soon\n", "line 2: `start` must be a number of seconds.*'soon'"),
        ("path,start\na.wav,1_0\n", "line 2: `start` must"),
        ("path,channel\na.wav,0.5\n", "line 2: `channel` must be an integer"),
        ("path,offset\na.wav,1\n", "line 2: `offset` is not read"),
        ('path\n"a.wav\n', "unexpected end of data"),
        ("path\na.wav\n" * 9 + "caf\xe9.wav\n", "line 19: it is not UTF-8"),
    ],
)
def test_a_broken_row_is_named_with_its_number(text: str, message: str) -> None:
    Path("m.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=f"'m.csv', .*{message}|'m.csv', {message}"):
        found("m.csv")


def test_broken_parquet() -> None:
    Path("m.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ValueError, match="'m.parquet'"):
        found("m.parquet")
    parquet.write_table(pa.table({"file": ["a.wav"]}), "m.parquet")
    with pytest.raises(ValueError, match="there is no column `path`, only 'file'"):
        found("m.parquet")
    parquet.write_table(pa.table({"path": ["a.wav"] * 3, "start": [0.0, 1.0, -1.0]}), "m.parquet")
    with pytest.raises(ValueError, match="'m.parquet', row 3: `start` must"):
        found("m.parquet")


def test_damaged_and_empty_manifests() -> None:
    whole = gzip.compress(lines(ROWS) * 100)
    Path("cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    Path("no.jsonl.gz").write_bytes(lines(ROWS))
    for name in ("cut.jsonl.gz", "no.jsonl.gz"):
        with pytest.raises(ValueError, match=f"'{name}' is a damaged gzip file"):
            found(name)
    for name in ("e.jsonl", "e.csv"):
        Path(name).write_text("\n\n")
        with pytest.raises(ValueError, match=f"'{name}' gives no clip: the manifest is empty"):
            found(name)


# ---- Standard input ----------------------------------------------------------------------------


def test_a_list_on_standard_input(here: Path) -> None:
    text = "\ufeffa.wav\r\n\n  \nsub/hören b.wav\n/abs/c.wav".encode()
    assert found("-", stdin=text) == [
        Item("a", f"{here}/a.wav"),
        Item("sub/hören b", f"{here}/sub/hören b.wav"),
        Item("abs/c", "/abs/c.wav"),
    ]
    assert found("-", stdin=b"\n" + lines(ROWS)) == expected(str(here))
    # Names may begin and end with spaces.
    assert found("-", stdin=b" a .wav \n")[0].path == f"{here}/ a .wav "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "standard input is empty"),
        (b"\n \r\n", "standard input is empty"),
        (b"a.wav\n\n\xe9.wav\n", r"standard input, line 3: a path must be UTF-8"),
        (b"a.wav\nb\0.wav\n", "standard input, line 2: "),
        (b"a.wav\nhttp://x/b.wav\n", "standard input, line 2: .*URL"),
    ],
)
def test_bad_lists(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        found("-", stdin=text)


def test_a_terminal_is_no_list() -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(ValueError, match="a terminal; pipe a list in"):
        find_items(["-"], stdin=Terminal())
