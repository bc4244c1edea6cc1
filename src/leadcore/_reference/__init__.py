"""The slow engine: the spec, sentence by sentence, in plain Python with big integers."""

from leadcore._reference.engine import Result, score
from leadcore._reference.replay import ReplayResult, replay

__all__ = ["ReplayResult", "Result", "replay", "score"]
