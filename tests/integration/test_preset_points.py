"""The published points and marks of the presets, on both engines."""

from __future__ import annotations

import pytest

from tests.integration.preset_stories import MONDAY, Story, day, event, model_of, views


@pytest.fixture(params=["kernel", "reference"])
def story(request):
    """Replays a lead of a preset by one engine, then by the other."""
    return lambda preset, *args, **more: Story(preset, request.param, *args, **more)


def forms(*names, at=MONDAY):
    """Forms, by name."""
    return [event("form_submit", at, form=name) for name in names]


CLICK, LEFT = event("email_click"), event("unsubscribe")
WORTH = {
    "six-stage": {
        "fit": [
            ({"job_title": "Founder"}, 25),
            ({"job_title": "Chief Risk Officer"}, 25),
            ({"job_title": "Founder, formerly VP and director"}, 25),
            ({"job_title": "Sales Director"}, 10),
            ({"job_title": "Head of Sales", "revenue": 50e6}, 20),
        ],
        "engagement": [
            (forms("trial"), 0, 45),  # with 5 for an act in the last week
            (forms("trial"), 89, 30),  # less 10 for none in the last 30 days
            (forms("trial"), 90, 0),  # the score is never less
            (forms("trial") * 2, 0, 45),
            (views(1), 0, 20),
            (views(4), 0, 55),  # three count; 5 for three visits or more
            (views(1), 7, 15 * 2**-0.5),
            (views(1), 14, 7.5),
            ([*forms("demo"), *views(3)], 0, 70),
            ([event("webinar", minutes=4.0)], 0, 6),
            ([event("webinar", minutes=90.0)], 0, 20),
            ([event("webinar", minutes=60.0), event("email_click", day(30))], 30, 15.5),
            (forms("ebook"), 0, 13),
            (forms("ebook", "ebook"), 0, 13),
            (forms("ebook", "newsletter"), 0, 21),
            ([CLICK, CLICK], 0, 8),
            ([CLICK, event("email_click", day(hours=-1))], 0, 8 + 3 * 2 ** (-1 / 336)),
            (forms("a", "b", "c", "d", "e", "f"), 0, 45),
            (views(2, url="/"), 0, 5),
            (views(3, url="/"), 0, 10),
            (views(10, url="/"), 0, 17),
            ([*forms("demo"), LEFT, LEFT], 0, 25),
            ([*forms("demo"), LEFT], 45, 15),  # half of the 20 is left, and 10 for having gone quiet
        ],
    },
    "fit-intent": {
        "fit": [
            ({"job_title": "Founder"}, 40),
            ({"job_title": "Product Manager"}, 20),
            ({"job_title": "Head Manager"}, 40),
            ({"employees": 19.0}, 0),
            ({"employees": 20.0}, 5),
            ({"employees": 100.0}, 15),
            ({"employees": 1000.0}, 25),
            ({"industry": "Finance"}, 20),
            ({"industry": "manufacturing"}, 10),
            ({"country": "gb"}, 15),
            ({"country": "AQ"}, 0),
            ({"email": "A@GMail.com"}, -20),
        ],
        "intent": [
            (forms("demo"), 59, 40),
            (forms("demo"), 60, 0),
            (views(4), 0, 30),
            (views(1, url="/plans"), 14, 5),
            ([*forms("demo"), *views(4)], 0, 70),
            ([*forms("demo"), *views(4), *forms("trial", at=day(-1))], 0, 70),
            (views(1, url="/product/a"), 0, 3),
            (views(6, url="/customers"), 0, 20),  # five count; 5 for five visits or more
            (views(1, url="/compare"), 14, 1.5),
            (views(15, url="/blog"), 0, 10),
            ([event("webinar", minutes=40.0)], 21, 5),
            ([event("webinar", minutes=61.0)], 0, 15),
            ([CLICK, CLICK], 0, 2),
            ([event("webinar", minutes=60.0), *views(15, url="/product")], 0, 40),
            ([*forms("demo"), LEFT, LEFT], 0, 10),
            ([*forms("demo"), LEFT], 36, 16),
        ],
    },
    "revenue-cycle": {
        "fit": [
            ({"job_title": "VP"}, 20),
            ({"employees": 50.0}, 5),
            ({"employees": 500.0}, 15),
            ({"employees": 49.0}, 0),
            ({"email": "a@yahoo.com"}, -10),
            ({"relation": "Student"}, -100),
            ({"relation": "partner"}, 0),
        ],
        "engagement": [
            (forms("contact"), 59, 40),
            (forms("contact"), 60, 0),
            (views(1), 0, 12),
            (views(4), 0, 38),
            (views(1), 14, 5.5),
            ([*forms("demo"), *views(4)], 0, 68),
            (views(11, url="/"), 0, 20),
            ([CLICK, CLICK], 0, 3),
            ([CLICK], 14, 1.5),
            (forms("ebook", "ebook", "newsletter"), 0, 20),
            (forms("ebook"), 30, 5),
            ([event("webinar", minutes=10.0)], 0, 3),
            ([event("webinar", minutes=90.0)], 30, 9),
            (forms("a", "b", "c", "d", "e", "f"), 0, 50),
            ([*forms("demo"), LEFT, LEFT], 0, 10),
        ],
    },
}


@pytest.mark.parametrize("preset", WORTH)
def test_points(story, preset):
    """What attributes, and acts of the first day after so many days, are worth."""
    for name, cases in WORTH[preset].items():
        for case in cases:
            if name == "fit":
                attributes, points = case
                found = story(preset, until=day(), **attributes)
            else:
                events, days, points = case
                found = story(preset, events, until=day(days))
            assert found.score(name) == round(points * 1_000_000), case


@pytest.mark.parametrize(
    ("preset", "marks"),
    [
        ("six-stage", {"mql": (65, 40)}),
        ("fit-intent", {"good_fit": (50, 50), "high_intent": (50, 30)}),
        ("revenue-cycle", {"lively": (20, 5), "sales_ready": (70, 45)}),
        ("stars", {"warm": (20, 10), "hot": (70, 60)}),
    ],
)
def test_marks(preset, marks):
    """Where thresholds take, and where they let go."""
    thresholds = model_of(preset).thresholds

    assert {name: (one.at, one.at if one.release is None else one.release) for name, one in thresholds.items()} == marks
