"""Small pictures of block characters, and tables of figures, for a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar of this share of ``width`` characters, fine to an eighth; never empty for more than nothing.

    Example:
        >>> bar(0.5, 4)
        '██  '
    """
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def distribution(values: npt.NDArray[np.float64], marks: dict[str, float], width: int = 44) -> Text:
    """How many values lie in each of some ten to twenty round intervals; ``marks`` are named where they begin.

    Bars are as long as the square root of the number, so that small ends are seen beside a large middle.
    """
    from rich.text import Text

    low, high = float(values.min()), float(values.max())
    step = _round_step((high - low) / 18 or 1.0)
    edges = np.arange(np.floor(low / step), np.floor(high / step) + 2) * step
    numbers = np.histogram(values, edges)[0]
    most = np.sqrt(numbers.max())
    text = Text()
    for i in range(len(numbers) - 1, -1, -1):
        named = [name for name, at in marks.items() if edges[i] <= at < edges[i + 1]]
        above = sum(edges[i] >= at for at in marks.values())
        style = ("blue", "cyan", "green", "bright_green")[min(above, 3)]
        text.append(f"  {edges[i]:>6g} ")
        text.append(bar(float(np.sqrt(numbers[i]) / most), width), style=style)
        text.append(f" {numbers[i]:>9,}")
        text.append("".join(f"  {name}" for name in named), style="bold")
        text.append("\n")
    return text


def _round_step(wanted: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted * 0.999))
