"""What a visitor does to get a file, for tests of the page."""

from pathlib import Path

from posegen.ui.panel import CHOICES

LABELS = {suffix: label for label, suffix in CHOICES}


def download(page, suffix: str, which="one") -> Path:
    """The file, under the name it is offered, that the visible tab gives of "one" pose or "all" in a format."""
    page.click(".downloads:visible input")
    page.click(f"ul[role=listbox] >> text='{LABELS[suffix]}'")
    with page.expect_download() as info:
        page.click(f".download-{which}:visible")
    path = info.value.path()
    return path.rename(path.parent / info.value.suggested_filename)
