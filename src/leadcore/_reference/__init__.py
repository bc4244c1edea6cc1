"""The slow engine: the spec, sentence by sentence, in plain Python with big integers."""

from leadcore._reference.engine import Result, score

__all__ = ["Result", "score"]
