# SPDX-License-Identifier: BSD-3-Clause
"""Settings of the site for Sphinx. `make docs` builds it: tools/build_site.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import specfast

sys.path.insert(0, str(Path(__file__).parent))
from docstrings import mend

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BUILD = Path(os.environ["SPECFAST_SITE_BUILD"])

project = "specfast"
author = "specfast developers"
copyright = author  # noqa: A001  (Sphinx' name)
version = release = specfast.__version__

extensions = [
    "breathe",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
# The README is included in the first page.
exclude_patterns = ["README.md", "gallery/**/*.py"]
suppress_warnings = ["config.cache"]

# ---- Text ------------------------------------------------------------------------------------
# As deep as headings are linked to; their names are those of a code forge.
myst_heading_anchors = 4
default_role = "code"
smartquotes = False
highlight_language = "none"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# ---- Python ----------------------------------------------------------------------------------
autodoc_mock_imports = [
    "jax",
    "keras",
    "tensorflow",
    "torch",
    "transformers",
    # These ask an installed framework on import.
    "specfast._adapters.jax_calls",
    "specfast._hugging_face.versions",
]
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "inherited-members": True,
    # Public to other modules of the package.
    "exclude-members": "pipeline, pipeline_class",
}
autodoc_typehints = "signature"
autodoc_type_aliases = {"npt.ArrayLike": "ArrayLike"}
maximum_signature_line_length = 88
python_display_short_literal_types = True
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# ---- C ---------------------------------------------------------------------------------------
breathe_projects = {"specfast": str(BUILD / "doxygen/xml")}
breathe_default_project = "specfast"
breathe_domain_by_extension = {"h": "c"}
breathe_show_include = False
c_id_attributes = ["SPECFAST_API"]

# ---- Gallery ---------------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": str(BUILD / "gallery"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"/\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 60,
    "write_computation_times": False,
    "remove_config_comments": True,
    "thumbnail_size": (600, 300),
    "abort_on_example_error": True,
}

# ---- Look ------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = f"specfast {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options: dict[str, Any] = {
    "logo": {"text": "specfast"},
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_toc_level": 1,
    "navigation_depth": 2,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": []}
html_context = {"default_mode": "auto"}


def _close_blocks(*event: Any) -> None:
    """Takes from the ends of blocks the blank lines that doctest wants, and a reader does not."""
    source: list[str] = event[-1]
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def _plain_signature(*event: Any) -> tuple[str | None, ...]:
    """Names the type ArrayLike as it is named in the source."""
    alias = "TypeAliasForwardRef('ArrayLike')"
    return tuple(text and text.replace(alias, "ArrayLike") for text in event[-2:])


def setup(app: Sphinx) -> None:
    app.connect("source-read", _close_blocks)
    app.connect("autodoc-process-signature", _plain_signature)
    # Before napoleon, which makes markup of its own.
    app.connect("autodoc-process-docstring", mend, priority=100)
