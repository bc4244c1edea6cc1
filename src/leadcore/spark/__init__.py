"""Scoring on Spark: the same kernel and the same bits, partition by partition, for tables that one machine cannot hold.

Needs ``pip install "leadcore[spark]"`` here, and leadcore, pyarrow and pandas on the executors.
"""

from leadcore.spark._apply import Applied, apply, partition_of
from leadcore.spark._replay import ReplayTables, replay
from leadcore.spark._score import ScoreTables, score, score_tables

__all__ = ["Applied", "ReplayTables", "ScoreTables", "apply", "partition_of", "replay", "score", "score_tables"]
