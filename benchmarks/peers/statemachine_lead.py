"""W2's rules as a machine of the library `python-statemachine`; scores as in `python_loop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers.python_loop import MachineLead
from benchmarks.peers.w2 import ACCEPTS, NEW, OPENS, STAGES


class LibraryLead(MachineLead):
    """A lead that is the model of a machine, whose state is the place of its stage."""

    send: Callable[[str], object]
    state: Any

    def after_transition(self) -> None:
        """Called by the machine."""
        self.move(self.state)

    def rules(self, mask: int) -> None:
        before = self.stage
        self.send("act" if mask & OPENS else "accept" if mask & ACCEPTS else "look")
        while self.stage != before:
            before = self.stage
            self.send("look")


def library_lead() -> tuple[LibraryLead, Callable[[], None]]:
    """A model of the machine, and how to put it back to the start: one serves all leads, one after another."""
    from statemachine import State, StateMachine

    class Rules(StateMachine):
        """An event that moves nobody is no error."""

        allow_event_without_transition = True
        new, engaged, prospect, mql, sql, recycled = (
            State(name, value=place, initial=place == NEW) for place, name in enumerate(STAGES)
        )
        look = (
            engaged.to(prospect, cond="good_fit")
            | engaged.to(mql, cond="is_reached")
            | prospect.to(mql, cond="is_reached")
            | recycled.to(mql, cond="is_reached")
            | mql.to(recycled, cond="patience_lost")
            | sql.to(recycled, cond="patience_lost")
        )
        act = new.to(engaged) | look
        accept = mql.to(sql) | look

    lead = LibraryLead()
    lead.state = NEW
    machine: Any = Rules(lead)
    lead.send = machine.send

    def restart() -> None:
        lead.state = NEW

    return lead, restart
