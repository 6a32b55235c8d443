"Sphinx's settings for the site. `make site` builds it; tools/site.py puts its sources together first."

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from tools.export import read_settings  # noqa: E402

course = read_settings()
git_url = f"https://github.com/{course['user']}/{course['repo']}"

project, author, version = course["title"], course["author"], course["version"]
copyright = course["copyright"]
release = version
root_doc = "index"
extensions = ["myst_nb", "course_site"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
language = "en"  # tools/site.py says which, and the titles in it
add_module_names = False
toc_object_entries_show_parents = "hide"
templates_path = [str(HERE / "templates")]

# Notebooks are shown as they were saved.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["mystnb.unknown_mime_type"]

html_math_renderer = "mathml"
html_theme = "sphinx_book_theme"
html_title = course["title"]
html_static_path = [str(HERE / "static")]
html_favicon = str(HERE / "static" / "favicon.svg")
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_copy_source = True
html_sourcelink_suffix = ""
html_search_scorer = str(HERE / "scorer.js")
html_last_updated_fmt = None
html_theme_options = {
    "repository_url": git_url,
    "repository_branch": course["branch"],
    "path_to_docs": "",
    "use_repository_button": True,
    "use_download_button": False,
    "use_source_button": False,
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "article_header_end": ["editions.html", "article-header-buttons.html"],
    "footer_content_items": ["copyright.html"],
    "show_toc_level": 2,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
