"""Plain types as fields, as the plugin for mypy reads them."""

# ruff: noqa: B015

from datetime import datetime

import leadcore as lc


class Lead(lc.Attributes):
    job_title: str
    employees: int
    revenue: float | None
    student: bool
    since: datetime


class PageView(lc.EventType):
    url: str


Lead.job_title.has_word("VP", "Chief") & (Lead.employees >= 200)
Lead.revenue.between(1, 2.5)
Lead.since.between(datetime(2026, 1, 1), "2026-02-01")
PageView.url.contains("/pricing") | Lead.student.exists()
lc.EventCriterion(name="a", on=[PageView], where=PageView.url.contains("/pricing"), points=1)

Lead.employees.contains("VP")  # error: attr-defined
Lead.revenue.starts_with("1")  # error: attr-defined
Lead.student.has_word("VP")  # error: attr-defined
Lead.job_title.between("a", "b")  # error: attr-defined
Lead.job_title.upper()  # error: attr-defined
Lead.employees >= "many"  # error: operator
