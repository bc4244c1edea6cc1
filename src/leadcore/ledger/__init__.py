"""The ledger: lead states that live events are applied to, with the bits of one batch run (spec 10.2)."""

from leadcore.ledger.changes import Changes
from leadcore.ledger.ledger import Ledger
from leadcore.ledger.state import LeadState

__all__ = ["Changes", "LeadState", "Ledger"]
