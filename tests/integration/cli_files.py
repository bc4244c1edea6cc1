"""Small files the command line is tried on, by name."""

from __future__ import annotations

import gzip
from pathlib import Path

MODEL = """\
leadcore: 1
name: small
attributes: {job_title: text, employees: number}
events:
  page_view: {url: text}
  form_submit: {form: text}
scores:
  fit:
    criteria:
      - {name: decides, kind: attribute, when: {field: job_title, op: has_word, value: [vp, ceo]}, points: 20}
      - {name: size, kind: attribute, field: employees, bands: [{at_least: 100, points: 10}]}
  interest:
    max: 50
    criteria:
      - {name: pricing, kind: event, on: page_view, where: {field: url, op: contains, value: /pricing}, points: 10,
         decay: {half_life: 7d}}
      - {name: asked, kind: event, on: form_submit, points: 30}
    grades: [{name: A, at_least: 30}, {name: B}]
  total: {combine: {fit: 1, interest: 1}}
thresholds: {hot: {score: total, at: 40}}
accounts: {key: company, scores: {heat: {of: total, by: sum}}}
"""

LIFECYCLE = """\
lifecycle:
  initial: new
  evaluate: {every: 1d}
  manual: {on: form_submit, field: form}
  stages:
    - {name: new, owner: marketing}
    - {name: hot, owner: sales, sla: {due: 48h, alerts: [{after: 0s, notify: rep}, {after: 2d, notify: [rep, boss]}]}}
    - {name: cold, owner: marketing, kind: detour}
  transitions:
    - {name: ready, from: new, to: hot, when: {field: score.total, op: ge, value: 35}}
    - {name: cools, from: hot, to: cold, after: 3d, when: {field: score.interest, op: lt, value: 20}}
    - {name: again, from: cold, to: new}
"""

LEADS = """\
lead_id,job_title,employees,company
3,VP Sales,250,acme
1,Student,,acme
2,ceo,99,
"""

EVENTS = """\
lead_id,at,type,url,form
3,2026-05-25T00:00Z,page_view,https://x.test/pricing,
3,2026-05-26T00:00Z,form_submit,,demo
1,2026-05-27T00:00Z,chat,,
1,2026-05-27T12:00Z,Page_View,/pricing,
9,2026-05-28T00:00Z,page_view,/PRICING,
2,2026-06-09T00:00Z,form_submit,,demo
"""

FILES = {
    "model.yaml": MODEL,
    "stages.yaml": MODEL[: MODEL.index("accounts:")] + LIFECYCLE,
    "no_accounts.yaml": MODEL[: MODEL.index("accounts:")],
    "broken.yaml": MODEL.replace("has_word", "has_words").replace("on: page_view", "on: page_veiw"),
    "not.yaml": "a: [1, 2\n",
    "leads.csv": LEADS,
    "twins.csv": LEADS + "3,Intern,1,\n",
    "events.csv": EVENTS,
    "renamed.csv": EVENTS.replace("lead_id,at,type", "contact,when,what"),
    "faulty.csv": EVENTS + "1,yesterday,page_view,/,\n,2026-05-01,page_view,/,\n1,2026-05-02,page_view,/\n",
    "quoted.csv": EVENTS + '1,2026-05-01,page_view,"/a\nb",\n1,yesterday,page_view,/,\n',
    "numbers.csv": LEADS + "4,Boss,many,\n",
    "no_at.csv": "lead_id,type,url,form\n1,page_view,/,\n",
    "start.csv": "lead_id,stage,entered_at\n1,cold,2026-05-20T08:00Z\n",
    "no_stage.csv": "lead_id,stage,entered_at\n1,lukewarm,2026-05-20T08:00Z\n",
    "states.csv": LEADS,
    "empty.csv": "",
    "events.txt": EVENTS,
    "events.parquet": "lead_id",
    "events.jsonl": '{"lead_id": 3, "at": "2026-05-26T00:00Z", "type": "form_submit", "url": null, "form": "demo"}\n'
    '{"lead_id": 1, "at": "2026-05-26", "type": "page_view", "url": "/pricing"}\n',
    "faulty.jsonl": '{"lead_id": 3, "at": "2026-05-26T00:00Z", "type": "form_submit"\n',
    "same.csv": "lead_id,same_as\n9,3\n",
    "circle.csv": "lead_id,same_as\n9,3\n3,9\n",
}


def write_files(folder: Path) -> None:
    """Write all of them, and one packed."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "events.csv.gz").write_bytes(gzip.compress(EVENTS.encode()))
    (folder / "folder").mkdir()
