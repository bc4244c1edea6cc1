"""A model in typed Python: what may be given, and what a type checker refuses."""

# ruff: noqa: B018

from datetime import timedelta
from decimal import Decimal

import leadcore as lc


class Lead(lc.Attributes):
    job_title: lc.Text
    revenue: lc.Number


class PageView(lc.EventType):
    url: lc.Text
    seconds: lc.Number


model = lc.Model(
    name="typed",
    attributes=Lead,
    events=[PageView],
    scores={
        "fit": lc.Score(
            criteria=[
                lc.AttributeCriterion(name="vp", when=Lead.job_title.has_word("VP"), points=20),
                lc.AttributeCriterion(name="size", field=Lead.revenue, bands=[lc.PointsBand(at_least=5, points=0.5)]),
            ],
            max=Decimal(100),
        ),
        "acts": lc.Score(
            groups={
                "web": lc.Group(
                    criteria=[
                        lc.EventCriterion(
                            name="pricing",
                            on=[PageView],
                            where=PageView.url.contains("/pricing"),
                            points=15,
                            decay=lc.HalfLife(half_life=timedelta(days=14)),
                            cooldown="1h",
                            limit=lc.Limit(count=3, per="day"),
                        ),
                        lc.RecencyCriterion(name="lately", on="page_view", bands=[{"within": "7d", "points": 5}]),
                    ],
                    weight=0.5,
                )
            }
        ),
        "total": lc.Score(combine={"fit": 1, "acts": Decimal("0.5")}),
    },
    thresholds={"mql": lc.Threshold(score="total", at=65, release=40)},
    lifecycle={"initial": "new", "stages": [{"name": "new"}]},
)
name: str = model.name
text: str = model.to_yaml()
label: str = model.scores["fit"].title or ""

lc.EventCriterion(name="a", on=[PageView], points="many")  # error: arg-type
lc.EventCriterion(name="a", on=[PageView], points=1, colour="red")  # error: call-arg
lc.EventCriterion(name="a", points=1)  # error: call-arg
lc.HalfLife(half_life=14)  # error: arg-type
lc.Limit(count=3, per="month")  # error: arg-type
lc.Model(name="m", scores={}, attributes=PageView)  # error: arg-type
model.nmae  # error: attr-defined
