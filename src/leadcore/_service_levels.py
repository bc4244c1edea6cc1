"""Service levels: when times since the entry of a stay have passed, and when its next alert is due (spec 8.9)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leadcore._opening import NEVER, Opening, after
from leadcore.model import Model

Ints = npt.NDArray[np.int64]


class ServiceLevels:
    """The clocks of a model's service levels: all time, or the open time of a calendar.

    Calendars are counted as far as anybody asked, so whoever asks often keeps one of these; threads may share it.
    """

    def __init__(self, model: Model) -> None:
        self.stages = () if model.lifecycle is None else model.lifecycle.stages
        self.alerting = np.array([one.sla is not None and len(one.sla.alerts) > 0 for one in self.stages], bool)
        """Stages, by their place in the document, that have alerts."""
        self._openings = {name: Opening(calendar, model.timezone) for name, calendar in model.calendars.items()}

    def passed(self, entered: Ints, duration: int, calendar: str | None) -> Ints:
        """When a duration since each entry has passed, `NEVER` beyond the year 9999."""
        return after(entered, duration) if calendar is None else self._openings[calendar].due(entered, duration)

    def next_alerts(self, stage: npt.NDArray[np.int32], entered: Ints, told: Ints) -> Ints:
        """The first alert of each stay after an instant, if the stay lasts (spec 8.9).

        Args:
            stage: Stage by its place in the document, -1 for none.
            entered: When it was entered.
            told: The instant up to which alerts are known; one at that instant is.

        Returns:
            Instants, `NEVER` where no alert is left.
        """
        due = np.full(len(stage), NEVER, np.int64)
        for place in np.unique(stage).tolist():
            sla = None if place < 0 else self.stages[place].sla
            if sla is None or not sla.alerts:
                continue
            rows = np.flatnonzero(stage == place)
            for alert in sla.alerts:
                at = self.passed(entered[rows], int(alert.after), sla.calendar)
                due[rows] = np.where(at > told[rows], np.minimum(due[rows], at), due[rows])
        return due
