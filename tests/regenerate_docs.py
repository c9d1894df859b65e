"""`make docs`: write the generated pages and tables anew, and play the commands of the pages that show them."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))  # run as a program, it finds ajs and tests where it lies

from tests.pages import PAGES  # noqa: E402
from tests.played import is_played, masked, played  # noqa: E402
from tests.worked import with_tables  # noqa: E402


def main() -> None:
    """Write what differs, and say so."""
    reference = TOP / "docs" / "reference"
    for name, make in PAGES.items():
        put(reference / name, make())
    for page in sorted((TOP / "docs").rglob("*.md")):
        text = with_tables(page.read_text("utf-8"))
        if is_played(text):
            with TemporaryDirectory() as folder:
                text = masked(played(text, Path(folder)))
        put(page, text)


def put(page: Path, text: str) -> None:
    """Write a page unless it is so already."""
    if not page.exists() or page.read_text("utf-8") != text:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, "utf-8")
        print(f"wrote {page.relative_to(TOP)}")


if __name__ == "__main__":
    main()
