"""The only door to the compiled kernel: everything of it that leadcore uses, and nothing else."""

from leadcore._kernel.accounts import combine as combine_accounts
from leadcore._kernel.engine import BLOCK, Facts, Images, Keeper, Outcome, Plan, Replayer, Sets, Store, Tally, Worker
from leadcore._kernel.records import DTYPES, LAYOUT_VERSION

__all__ = [
    "BLOCK", "DTYPES", "LAYOUT_VERSION", "Facts", "Images", "Keeper", "Outcome", "Plan", "Replayer", "Sets", "Store",
    "Tally", "Worker", "combine_accounts",
]  # fmt: skip
