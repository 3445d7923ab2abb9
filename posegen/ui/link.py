"""Links that reproduce a result: what was asked, as the query of the page's address."""

import math
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit


class LinkError(ValueError):
    """A link that asks for what the page does not offer; the message says what it may ask."""


def write(page: str, asked: Mapping) -> str:
    """The link to the page at the address `page` (its own query is dropped) with everything that was asked."""
    given = {name: f"{value:g}" if isinstance(value, float) else value for name, value in asked.items()}
    return urlsplit(page)._replace(query=urlencode(given), fragment="").geturl()


def read(query: Mapping[str, str], sliders: Mapping) -> dict[str, int | float | str]:
    """What a link asks for: the prompt, and numbers by name; other names are passed over.

    Args:
        sliders: name -> the component whose minimum, maximum and precision or step bound the number.
    Raises:
        LinkError: a number is none, or out of bounds.
    """
    asked = {"prompt": query["prompt"]} if "prompt" in query else {}
    for name, slider in sliders.items():
        if name in query:
            asked[name] = number(name, query[name], slider)
    return asked


def number(name: str, text: str, slider) -> int | float:
    low, high = slider.minimum, slider.maximum
    whole = getattr(slider, "precision", None) == 0 or getattr(slider, "step", None) == 1
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high or (whole and value != int(value)):
        what = "a whole number" if whole else "a number"
        raise LinkError(
            f"The link's {name} must be {what} from {low} to {high}, but it is {text[:20]!r}; mend the link."
        )
    return int(value) if whole else value
