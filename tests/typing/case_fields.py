"""Fields of typed Python: each type has its own comparisons."""

# ruff: noqa: B015, B018, E712

from datetime import date, datetime

import leadcore as lc


class Lead(lc.Attributes):
    job_title: lc.Text
    employees: lc.Number
    student: lc.Boolean
    since: lc.Instant
    region: lc.Text = lc.field(optional=True)


class PageView(lc.EventType):
    url: lc.Text
    seconds: lc.Number


class Sync(lc.EventType, name="crm_sync"):
    status: lc.Text


Lead.job_title.contains("VP")
Lead.job_title.has_word("VP", "Chief", case_sensitive=True)
Lead.region.matches("^north")
Lead.employees.between(10, 200.5)
Lead.since.between(date(2026, 1, 1), datetime(2026, 2, 1))
good = Lead.job_title.contains("VP") & (Lead.employees >= 200) & ~(Lead.student == True) | PageView.url.exists()
Lead.employees.is_in(1, 2, 3)

Lead.employees.contains("VP")  # error: attr-defined
Lead.student.has_word("VP")  # error: attr-defined
Lead.since.starts_with("2026")  # error: attr-defined
Lead.job_title.between("a", "b")  # error: attr-defined
Lead.student.between(False, True)  # error: attr-defined
Lead.employees >= "many"  # error: operator
Lead.job_title > "a"  # error: operator
Lead.since < 5  # error: operator
Lead.job_title.contains(5)  # error: arg-type
Lead.job_title.is_in("a", 5)  # error: arg-type
Lead.jobtitle  # error: attr-defined
(Lead.employees > 5) & True  # error: operator
