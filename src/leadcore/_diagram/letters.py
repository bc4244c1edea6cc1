"""Text in pictures: made harmless, measured, and broken into lines."""

from __future__ import annotations

import re
from unicodedata import category, east_asian_width

_WIDTHS = {
    0.3: "'IJijl",
    0.35: " ,./:;\\|",
    0.4: "()-[]ft",
    0.45: "!r",
    0.5: '"*_`',
    0.55: "?csz",
    0.6: "FLkvxy",
    0.65: "$0123456789EPSTYabdeghnopqu{}",
    0.7: "ABCKRVXZ",
    0.75: "NU",
    0.8: "&DGHOQ",
    0.85: "#+<=>^w~",
    0.9: "M",
    1.0: "%@Wm",
}
"""Widths of letters in em: those of DejaVu Sans rounded up, for hardly a font in use is wider."""

_WIDTH_OF = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_BOLD = 1.15
_JOINERS = "\u200c\u200d"
_MOST_MARKS = 3
_LONGEST = 400
_KNOWN = re.compile(r"[\u0020-\u024f\u0370-\u052f\u2010-\u2027\u2190-\u21ff\u2260-\u2265]*")
"""Latin, Greek, Cyrillic and some signs: what `width` is sure of."""

_PIECES = re.compile(r"\s|[^\s_/.,:;=|\-]*[_/.,:;=|\-]+|[^\s_/.,:;=|\-]+")
"""Words, with what a line may end on at their end."""


def harmless(text: str) -> str:
    """Text that stays in its place in a picture: one line, without control characters, not turned round.

    Controls, lone surrogates and what changes the direction of the text behind it become U+FFFD, as does what is
    no character; marks piled up on one letter end at the third; 400 characters are kept.
    """
    kept: list[str] = []
    marks = 0
    for letter in text[: 2 * _LONGEST]:
        kind = category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if letter in "\t\n\r\f\v\x85" or kind in ("Zl", "Zp", "Zs"):
            kept.append(" ")
        elif kind in ("Cc", "Cs", "Cf") or ord(letter) & 0xFFFE == 0xFFFE:
            kept.append(letter if letter in _JOINERS else "\ufffd")
        elif marks <= _MOST_MARKS:
            kept.append(letter)
    short = " ".join("".join(kept).split())
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a line is at most, in pixels, where its letters are known; a good guess elsewhere."""
    ems = 0.0
    for letter in text:
        known = _WIDTH_OF.get(letter)
        ems += _guess(letter) if known is None else known
    return ems * size * (_BOLD if bold else 1.0)


def _guess(letter: str) -> float:
    kind = category(letter)
    if kind in ("Mn", "Me") or letter in _JOINERS:
        return 0.0
    if east_asian_width(letter) in "WF":
        return 1.35 if kind in ("So", "Sk") else 1.05
    if kind == "Ll":
        return 0.85 if ord(letter) >= 0x370 else 0.7
    return 1.15 if ord(letter) < 0x10000 else 1.35


def certain(text: str) -> bool:
    """Whether `width` holds whatever font draws it; where not, the picture has to say how wide the text is."""
    return _KNOWN.fullmatch(text) is not None


def lines(text: str, most: float, size: float, count: int, bold: bool = False) -> list[str]:
    """A text in at most ``count`` lines of at most ``most`` pixels; an ellipsis tells that something is missing.

    Lines end at blanks, after ``_ / . , : ; = | -``, and within a word that is too long for one line.
    """
    found: list[str] = []
    line = ""
    for piece in _pieces(text, most, size, bold):
        if line and width((line + piece).rstrip(), size, bold) > most:
            found.append(line.rstrip())
            line = piece.lstrip()
        else:
            line = line + piece if line else piece.lstrip()
    if line.rstrip():
        found.append(line.rstrip())
    if len(found) > count:
        last = found[count - 1]
        while last and width(last + "…", size, bold) > most:
            last = last[:-1]
        found = [*found[: count - 1], last.rstrip() + "…"]
    return found


def _pieces(text: str, most: float, size: float, bold: bool) -> list[str]:
    """What stands together on a line; a piece wider than a line is cut."""
    pieces: list[str] = []
    for piece in _PIECES.findall(text):
        while width(piece, size, bold) > most and len(piece) > 1:
            end = 1
            while width(piece[: end + 1], size, bold) <= most:
                end += 1
            pieces.append(piece[:end])
            piece = piece[end:]
        pieces.append(piece)
    return pieces
