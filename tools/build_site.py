# SPDX-License-Identifier: BSD-3-Clause
"""Builds the site of the documentation: `make docs`.

    python tools/build_site.py build/site

Pages stay where they are. The tree that Sphinx reads is put together beside the site: the pages
of docs/ and of the root under their own paths, so that their links hold, and the contents from
docs/site on top. Sphinx, Doxygen and the scripts of the gallery may not give a warning, and every
link within the site must lead to a page, a file or a heading that is there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "docs/site"
# What pages outside docs/ the site has, and what its pages show or link to.
BESIDE_DOCS = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "THIRD_PARTY_NOTICES.md",
    "benchmarks/README.md",
)
# For each program, some twenty times what the slowest takes.
LIMIT_S = 900
NO_DOXYGEN = "make docs requires Doxygen: on Debian and Ubuntu, apt-get install doxygen"


def put_together(sources: Path, gallery: Path) -> None:
    """Copies pages, contents and scripts of the gallery; files keep their times, for Sphinx."""
    for old in (sources / "docs", sources / "gallery", gallery):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(
        ROOT / "docs", sources / "docs", ignore=shutil.ignore_patterns("site", "gallery")
    )
    for name in BESIDE_DOCS:
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, sources / name)
    for page in SITE.glob("*.rst"):
        shutil.copy2(page, sources)
    shutil.copytree(ROOT / "docs/gallery", gallery)
    # Beside the scripts, which run where they lie.
    shutil.copy2(ROOT / "examples/speech.wav", gallery)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Runs a program in the root; its failure ends this one."""
    try:
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=LIMIT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        sys.exit(str(error))


class _Page(HTMLParser):
    """The links and the names of places in one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for key, value in attributes:
            if key in ("href", "src") and value:
                self.links.add(value)
            elif key == "id" and value:
                self.places.add(value)


def broken_links(site: Path) -> list[str]:
    """Returns a complaint for each link within the site that leads nowhere."""
    # Templates of the theme are no pages.
    files = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: _Page(path.read_text("utf-8")) for path in files}
    complaints = []
    for path, page in pages.items():
        for link in sorted(page.links):
            address, place = urldefrag(link)
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            file = unquote(address.partition("?")[0])
            target = Path(os.path.normpath(path.parent / file)) if file else path
            found = target.is_file() and target.is_relative_to(site)
            # "#" alone is the top of a page.
            if not found or (place and target in pages and place not in pages[target].places):
                complaints.append(f"{path.relative_to(site)}: {link}")
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the site of the documentation.")
    parser.add_argument("site", type=Path, help="the folder to build it in")
    site = parser.parse_args().site.resolve()
    build = site.with_name(f"{site.name}-build")
    if shutil.which("doxygen") is None:
        sys.exit(NO_DOXYGEN)
    shutil.rmtree(site, ignore_errors=True)
    put_together(build / "sources", build / "gallery")
    environment = {
        **os.environ,
        "SPECFAST_SITE_BUILD": str(build),
        "DOXYGEN_OUTPUT": str(build / "doxygen"),
        "MPLBACKEND": "agg",
    }
    (build / "doxygen").mkdir(exist_ok=True)
    run(["doxygen", str(SITE / "Doxyfile")], environment)
    sphinx = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-c", str(SITE)]
    folders = ["-d", str(build / "doctrees"), str(build / "sources"), str(site)]
    run([sys.executable, *sphinx, *folders], environment)
    complaints = broken_links(site)
    if complaints:
        sys.exit("\n".join(["links that lead nowhere:", *complaints]))
    print(f"the site is in {site}: open {site / 'index.html'}")


if __name__ == "__main__":
    main()
