"""The published numbers of the presets' lifecycles: who moves when, alerts and service levels, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import leadcore as lc
from leadcore.presets import preset_text
from tests.integration.preset_stories import DEMO, MONDAY, SCORERS, SECOND, Story, day, event, log, model_of, views


@pytest.fixture(params=["kernel", "reference"])
def story(request):
    """Replays a lead of a preset by one engine, then by the other."""
    return lambda preset, *args, **more: Story(preset, request.param, *args, **more)


# six-stage

VP = {"job_title": "VP Sales"}
HOUR_OF_WEBINAR = event("webinar", minutes=60.0)


def six_stage_fit(story, **attributes):
    return story("six-stage", until=day(), **attributes).score("fit")


@pytest.mark.parametrize("title", ["Vice President, Sales", "vp marketing", "SVP", "Group VP"])
def test_six_stage_vice_president(story, title):
    """A vice president is worth 20 points."""
    assert six_stage_fit(story, job_title=title) == 20_000_000


@pytest.mark.parametrize("title", ["MVP coach", "President's office", None])
def test_six_stage_no_vice_president(story, title):
    """Letters within a word are no title."""
    assert six_stage_fit(story, job_title=title) == 0


@pytest.mark.parametrize(
    ("revenue", "points"), [(50_000_000.0, 10), (49_999_999.99, 0), (60e6, 10), (0.0, 0), (None, 0)]
)
def test_six_stage_revenue(story, revenue, points):
    """50 million a year are worth 10 points, a cent less is worth nothing."""
    assert six_stage_fit(story, revenue=revenue) == points * 1_000_000


def test_six_stage_student(story):
    """A student loses 50 points and is out, whatever else it is."""
    assert six_stage_fit(story, student=True) == -50_000_000
    assert six_stage_fit(story, student=False) == 0
    assert story("six-stage", [DEMO], student=True, revenue=60e6, **VP).moves == [
        ("new", "birth"), ("disqualified", "not_a_buyer"),
    ]  # fmt: skip


def test_six_stage_mql_at_65(story):
    """VP 20, demo 40, an act in the last week 5: 65 is an MQL in the same instant."""
    found = story("six-stage", [DEMO], until=day(), **VP)

    assert found.score("total") == 65_000_000
    assert found.moves == [
        ("new", "birth"), ("engaged", "first_act"), ("prospect", "worth_it"), ("mql", "ready"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "total", "stage"), [(60.0, 65_000_000, "mql"), (59.999996, 64_999_999, "prospect")]
)
def test_six_stage_mql_to_the_micropoint(story, minutes, total, stage):
    """VP 20, revenue 10, prices 15, recent 5, a webinar of 15 points or of a millionth less."""
    events = [*views(1), event("webinar", minutes=minutes)]
    found = story("six-stage", events, until=day(), revenue=50e6, **VP)

    assert (found.score("total"), found.stage) == (total, stage)


def test_six_stage_alerts(story):
    """Rep at once, rep after 24 h, rep and manager after 48 h, and the executive too after 72 h."""
    found = story("six-stage", [DEMO], until=day(10), **VP)

    assert found.alerts == [
        ("mql", day(), 1, ["rep"]),
        ("mql", day(1), 2, ["rep"]),
        ("mql", day(2), 3, ["rep", "manager"]),
        ("mql", day(3), 4, ["rep", "manager", "executive"]),
    ]
    assert found.stay("mql")["sla_status"] == "breached"


@pytest.mark.parametrize(
    ("answered", "status", "alerts"),
    [(day(2), "met", 2), (day(2) + SECOND, "met_late", 3), (day(1), "met", 1), (day(3) + SECOND, "met_late", 4)],
)
def test_six_stage_48_hours(story, answered, status, alerts):
    """Answered at 48 hours is met, a microsecond later is late; no alert after the answer, nor at its instant."""
    found = story("six-stage", [DEMO, event("sales_answer", answered, answer="accepted")], until=day(10), **VP)

    assert (found.stage, found.stay("mql")["sla_status"], len(found.alerts)) == ("sql", status, alerts)
    assert found.stay("mql")["sla_due_at"] == day(2)


@pytest.mark.parametrize(
    ("answer", "stage"),
    [("not_now", "deferred"), ("not_ready", "recycled"), ("no_fit", "disqualified"), ("accepted", "sql"), ("?", "mql")],
)
def test_six_stage_answers(story, answer, stage):
    """What a rep says leads to each of the side ways."""
    found = story("six-stage", [DEMO, event("sales_answer", day(1), answer=answer)], until=day(2), **VP)

    assert found.stage == stage


def test_six_stage_recycled_starts_afresh(story):
    """What was done before does not count again: it takes 65 points of new acts, and the way back is open."""
    given_back = event("sales_answer", day(1), answer="not_ready")
    found = story("six-stage", [DEMO, given_back, *views(1, day(30))], until=day(30), **VP)
    assert (found.stage, found.score("engagement")) == ("recycled", 20_000_000)

    found = story("six-stage", [DEMO, given_back, event("form_submit", day(30), form="demo")], until=day(30), **VP)
    assert found.moves[-1] == ("mql", "ready")
    assert found.stay("mql")["visit"] == 2


def test_six_stage_by_hand(story):
    """A hand moves anywhere; into `recycled` it also takes the points, so that the lead stays there."""
    found = story("six-stage", [DEMO, event("stage_set", day(1), stage="recycled")], until=day(90), **VP)
    assert found.moves[4:] == [("recycled", "manual")]

    found = story("six-stage", [event("stage_set", day(1), stage="opportunity")])
    assert found.moves == [("new", "birth"), ("opportunity", "manual")]


def test_six_stage_deferred_comes_back(story):
    """After 90 days, or at once when it asks; and then it is an MQL if it has 65 points."""
    later = event("sales_answer", day(1), answer="not_now")
    found = story("six-stage", [DEMO, later], until=day(200), **VP)
    assert found.moves[4:] == [("deferred", "not_now"), ("prospect", "time_has_come")]
    assert found.stay("prospect")["entered_at"] == day(91)

    found = story("six-stage", [DEMO, later, event("form_submit", day(20), form="contact")], until=day(21), **VP)
    assert found.moves[4:] == [("deferred", "not_now"), ("prospect", "asked_early"), ("mql", "ready")]


@pytest.mark.parametrize("exit", ["disqualified", "graveyard", "contact"])
def test_six_stage_exits(story, exit):
    """No act leads out of an exit, a hand does."""
    acts = [event("form_submit", day(n), form="demo") for n in range(2, 30)]
    shut = event("stage_set", day(1), stage=exit)
    assert story("six-stage", [shut, *acts], **VP).moves == [("new", "birth"), (exit, "manual")]

    found = story("six-stage", [shut, event("stage_set", day(2), stage="prospect")], until=day(3), **VP)
    assert found.stage == "prospect"


def test_six_stage_graveyard(story):
    """A hard bounce, a year without a sign of life, two years of a mere name; not a soft bounce, not an open deal."""
    assert story("six-stage", [event("email_bounce", day(1), hard=True)]).moves[1:] == [("graveyard", "bounced")]
    assert story("six-stage", [event("email_bounce", day(1), hard=False)]).moves == [("new", "birth")]
    opened = [DEMO, event("deal", day(1), status="opened"), event("email_bounce", day(2), hard=True)]
    assert story("six-stage", opened, **VP).stage == "opportunity"
    silent = story("six-stage", views(1), until=day(800))
    assert silent.moves[1:] == [("engaged", "first_act"), ("graveyard", "fell_silent")]
    assert silent.stay("graveyard")["entered_at"] == day(366).replace(hour=0)  # the first midnight at least 365 days on
    name = story("six-stage", until=day(800))
    assert name.moves[1:] == [("graveyard", "never_woke")]
    assert name.stay("graveyard")["entered_at"] == day(730)


def test_six_stage_contact(story):
    """A won deal, or what the customer list says, makes a contact."""
    events = [DEMO, event("deal", day(1), status="opened"), event("deal", day(9), status="won")]
    assert story("six-stage", events, **VP).moves[4:] == [("opportunity", "deal_opened"), ("contact", "deal_won")]
    found = story("six-stage", [DEMO], changes={day(5): {**VP, "customer": True}}, **VP)
    assert found.moves[4:] == [("contact", "is_customer")]


def test_six_stage_gone_cold(story):
    """An MQL that nobody took in 14 days and that fell below 40 is recycled, not before."""
    found = story("six-stage", [*views(3), HOUR_OF_WEBINAR], until=day(100), revenue=50e6, **VP)

    assert [stage for stage, _ in found.moves] == ["new", "engaged", "prospect", "mql", "recycled"]
    assert found.moves[-1] == ("recycled", "gone_cold")
    assert found.stay("mql")["left_at"] - found.stay("mql")["entered_at"] >= timedelta(14)


# fit-intent

FIT = {"job_title": "Head of Sales", "employees": 100.0, "email": "a@firm.example"}
INTENT = [DEMO, *views(1)]


@pytest.mark.parametrize(
    ("events", "attributes", "stage"),
    [
        ([], FIT, "lead"),
        (INTENT, {"job_title": "Clerk", "email": "a@firm.example"}, "lead"),
        (INTENT, FIT, "mql"),
        (INTENT, {**FIT, "employees": 99.0}, "lead"),
        ([DEMO, event("webinar", minutes=40.0)], FIT, "mql"),
        ([DEMO, event("webinar", minutes=39.999996)], FIT, "lead"),
    ],
    ids=["fit alone", "intent alone", "both", "fit 45", "intent 50", "intent 49.999999"],
)
def test_fit_intent_wants_both(story, events, attributes, stage):
    """Fit 50 (decides 40, 100 people 15, or 5 below) and intent 50 (demo 40, prices or 40 minutes 10): MQL."""
    assert story("fit-intent", events, until=day(1), **attributes).stage == stage


def test_fit_intent_exactly(story):
    """Neither makes up for the other: 100 of one and nothing of the other is no MQL."""
    best = {**FIT, "employees": 5000.0, "industry": "Software", "country": "de"}
    found = story("fit-intent", until=day(60), **best)
    assert (found.score("fit"), found.stage) == (100_000_000, "lead")

    keen = [DEMO, *views(3), *views(5, url="/product"), event("webinar", minutes=90.0), event("email_click")]
    found = story("fit-intent", [*keen, *views(15, url="/compare")], until=day())
    assert found.score("intent") == 100_000_000
    assert found.stage == "lead"


@pytest.mark.parametrize(
    ("employees", "minutes", "fit", "intent"), [(20.0, 40.0, 45, 50), (100.0, 40.0, 55, 50), (100.0, 39.0, 55, 49.75)]
)
def test_fit_intent_scores(story, employees, minutes, fit, intent):
    """The points that the cases above stand on."""
    found = story(
        "fit-intent", [DEMO, event("webinar", minutes=minutes)], until=day(), **FIT | {"employees": employees}
    )

    assert (found.score("fit"), found.score("intent")) == (fit * 1_000_000, intent * 1_000_000)


def test_fit_intent_becomes_known(story):
    """A visitor is a lead from its first form on, or when its address is known."""
    assert story("fit-intent", [event("form_submit", form="newsletter")]).moves[1:] == [("lead", "left_a_name")]
    assert story("fit-intent", views(3)).moves == [("visitor", "birth")]
    found = story("fit-intent", changes={day(3): {"email": "a@firm.example"}})
    assert found.moves[1:] == [("lead", "known")]
    assert found.stay("lead")["entered_at"] == day(3)


def test_fit_intent_accepted(story):
    """SQL is what the rep accepts; then opportunity and customer."""
    events = [
        *INTENT,
        event("sales_answer", day(1), answer="accepted"),
        event("deal", day(5), status="opened"),
        event("deal", day(30), status="won"),
    ]
    assert story("fit-intent", events, **FIT).stages == ["visitor", "lead", "mql", "sql", "opportunity", "customer"]


@pytest.mark.parametrize(("answered", "status"), [(day(2), "met"), (day(2) + SECOND, "met_late")])
def test_fit_intent_48_hours(story, answered, status):
    """Worked at 48 hours is in time."""
    found = story("fit-intent", [*INTENT, event("sales_answer", answered, answer="accepted")], until=day(9), **FIT)

    assert (found.stay("mql")["sla_due_at"], found.stay("mql")["sla_status"]) == (day(2), status)


def test_fit_intent_another_rep(story):
    """Unanswered for 72 hours, a lead goes to another rep, and its first stay was late; alerts by name and hour."""
    found = story("fit-intent", [*INTENT, event("sales_answer", day(4), answer="accepted")], until=day(9), **FIT)

    assert found.moves[2:] == [("mql", "qualified"), ("recycled", "unanswered"), ("sql", "accepted")]
    assert found.stay("recycled")["entered_at"] == day(3)
    assert [found.stay(stage)["sla_status"] for stage in ("mql", "recycled")] == ["met_late", "met"]
    assert found.alerts == [
        ("mql", day(), 1, ["rep"]),
        ("mql", day(1), 2, ["rep"]),
        ("mql", day(2), 3, ["rep", "manager"]),
        ("recycled", day(3), 1, ["another rep", "manager"]),
    ]
    assert [span["owner"] for span in found.spans[2:]] == ["rep", "another rep", "rep"]


def test_fit_intent_passed_on_and_back(story):
    """A rep passes a lead on, the other gives it back; it takes 50 new points, fit stays what it is."""
    events = [
        *INTENT,
        event("sales_answer", day(1), answer="pass_on"),
        event("sales_answer", day(2), answer="not_ready"),
        *views(3, day(20)),
    ]
    found = story("fit-intent", events, until=day(20), **FIT)
    assert found.moves[2:] == [("mql", "qualified"), ("recycled", "passed_on"), ("lead", "not_ready")]
    assert found.score("intent") == 30_000_000

    found = story("fit-intent", [*events, event("form_submit", day(21), form="demo")], until=day(22), **FIT)
    assert found.moves[-1] == ("mql", "qualified")


def test_fit_intent_owner_and_goal():
    """Each stage has an owner, and each but the exits a goal; every MQL is to be worked in 48 hours."""
    stages = {stage.name: stage for stage in model_of("fit-intent").lifecycle.stages}

    assert all(stage.owner for stage in stages.values())
    assert all(stage.goal for stage in stages.values() if stage.kind != "exit")
    assert stages["mql"].goal == "100 % worked within 48 hours."


def test_fit_intent_disqualified(story):
    """Competitors, students and applicants, and what a rep says, end it."""
    assert story("fit-intent", INTENT, **FIT, relation="Competitor").moves[1:] == [("disqualified", "not_a_buyer")]
    found = story("fit-intent", [*INTENT, event("sales_answer", day(1), answer="no_fit")], **FIT)
    assert found.moves[-1] == ("disqualified", "no_fit")


# revenue-cycle

KNOWN = {"email": "a@firm.example", "job_title": "CEO"}


def test_revenue_cycle_to_won(story):
    """The success path from an anonymous visitor to a won deal."""
    events = [
        *views(2, url="/product"),
        event("form_submit", day(1), form="ebook"),
        *views(2, day(2)),
        *views(3, day(3)),
        event("webinar", day(3), minutes=60.0),
        event("email_click", day(4)),
        *views(3, day(4)),
        event("assigned", day(5), rep="ann"),
        event("deal", day(20), status="opened"),
        event("deal", day(60), status="won"),
    ]
    found = story("revenue-cycle", events, job_title="CEO", employees=500.0)

    assert found.moves == [
        ("anonymous", "birth"), ("known", "left_a_name"), ("engaged", "conversation"), ("handoff", "by_score"),
        ("placed", "assigned"), ("opportunity", "deal_opened"), ("won", "deal_won"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "total", "stage"), [(20.0, 70_000_000, "handoff"), (19.999996, 69_999_999, "engaged")]
)
def test_revenue_cycle_by_score(story, minutes, total, stage):
    """CEO 20, two downloads 20, two looks at prices 20, and 4 for being visits, a webinar 6 or a millionth less."""
    events = [event("form_submit", form=form) for form in ("ebook", "newsletter")]
    events += [*views(1), *views(1, url="/Plans"), event("webinar", minutes=minutes)]
    found = story("revenue-cycle", events, until=day(), **KNOWN)

    assert (found.score("total"), found.stage) == (total, stage)


def test_revenue_cycle_by_hand_raise(story):
    """Who asks is handed over at once, known or not, whatever the score."""
    found = story("revenue-cycle", [DEMO], until=day())

    assert found.moves == [("anonymous", "birth"), ("handoff", "by_hand_raise")]
    assert found.score("total") == 40_000_000


NEW_YORK = ZoneInfo("America/New_York")  # summer time from 8 March 2026 on


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (datetime(2026, 3, 2, 10), datetime(2026, 3, 3, 13)),  # Monday 10:00 to Tuesday 13:00
        (datetime(2026, 3, 2, 15), datetime(2026, 3, 3, 18)),  # 3 + 9 hours: due on a closing instant stays on it
        (datetime(2026, 3, 6, 17), datetime(2026, 3, 10, 11)),  # Friday 17:00: 1 + 9 + 2 hours, over the change
        (datetime(2026, 3, 7, 12), datetime(2026, 3, 10, 12)),  # on a Saturday it counts from Monday 09:00
        (datetime(2026, 7, 2, 17), datetime(2026, 7, 7, 11)),  # Independence Day, kept on Friday 3 July
    ],
)
def test_revenue_cycle_12_opening_hours(story, asked, due):
    """Placed when 12 opening hours are over is met, a microsecond later is late; alerts by level and name."""
    asked, due = (instant.replace(tzinfo=NEW_YORK).astimezone(UTC) for instant in (asked, due))
    request = event("form_submit", asked, form="contact us")
    for left, status in ((due, "met"), (due + SECOND, "met_late")):
        found = story(
            "revenue-cycle",
            [request, event("assigned", left, rep="ann")],
            until=due + timedelta(1),
            created_at=asked,
        )
        stay = found.stay("handoff")
        assert (stay["sla_due_at"], stay["sla_status"]) == (due, status)
        assert [level for *_, level, _ in found.alerts] == ([1, 2] if status == "met" else [1, 2, 3])
    assert found.alerts[0][1:] == (asked, 1, ["sales operations"])
    assert found.alerts[2][1:] == (due, 3, ["sales operations", "sales manager"])


def test_revenue_cycle_nurture(story):
    """A conversation that dies down goes to nurture, and from there back when it is lively again."""
    found = story("revenue-cycle", [*views(2), *views(2, day(60))], until=day(61), **KNOWN)

    assert found.moves[1:] == [
        ("known", "identified"), ("engaged", "conversation"), ("nurture", "died_down"), ("engaged", "conversation"),
    ]  # fmt: skip


def test_revenue_cycle_not_yet(story):
    """What led to "not yet" counts no more, by an answer or by hand; new acts lead back."""
    for said in (event("sales_answer", day(1), answer="not_yet"), event("stage_set", day(1), stage="nurture")):
        found = story("revenue-cycle", [DEMO, *views(3), said], until=day(30), **KNOWN)
        assert found.stages[-2:] == ["handoff", "nurture"]
        assert found.score("engagement") == 0
        found = story("revenue-cycle", [DEMO, *views(3), said, *views(2, day(40))], until=day(40), **KNOWN)
        assert found.stage == "engaged"


def test_revenue_cycle_unqualified(story):
    """A competitor asks in vain; who was found unqualified gets a second look after half a year, not before."""
    found = story("revenue-cycle", [DEMO], relation="competitor")
    assert found.moves[1:] == [("unqualified", "no_buyer")]
    events = [DEMO, event("sales_answer", day(1), answer="unqualified")]
    assert story("revenue-cycle", [*events, event("form_submit", day(180), form="demo")]).stage == "unqualified"
    found = story("revenue-cycle", [*events, event("form_submit", day(181), form="demo")])
    assert found.moves[-1] == ("handoff", "second_look")
    competitor = story("revenue-cycle", [DEMO, event("form_submit", day(300), form="demo")], relation="competitor")
    assert competitor.stage == "unqualified"


def test_revenue_cycle_lost_may_resurface(story):
    """Any act 90 days after a loss leads to nurture, a raised hand to sales at any time."""
    lost = [DEMO, event("deal", day(1), status="opened"), event("deal", day(10), status="lost")]
    assert story("revenue-cycle", [*lost, event("email_click", day(99))]).stage == "lost"
    assert story("revenue-cycle", [*lost, event("email_click", day(100))]).moves[-1] == ("nurture", "resurfaced")
    found = story("revenue-cycle", [*lost, event("form_submit", day(11), form="Contact")])
    assert found.moves[-1] == ("handoff", "by_hand_raise")


# stars

FIVE = {"job_title": "Head of IT", "employees": 500.0, "industry": "finance"}


def test_stars_seven_reach_70(story):
    """Five stars for who it is, two for a demo: 70 points and a lead for sales; with one less, 60 and none."""
    found = story("stars", [DEMO], until=day(), **FIVE)
    assert (found.score("total"), found.stage) == (70_000_000, "hot")
    assert found.moves == [("watching", "birth"), ("warm", "two_stars"), ("hot", "seven_stars")]

    found = story("stars", [DEMO], until=day(), **FIVE | {"employees": 50.0})
    assert (found.score("total"), found.stage) == (60_000_000, "warm")


def test_stars_each_is_ten_points(story):
    """Every star lights up by itself; doing it twice is no second star."""
    assert SCORERS["stars"].model.points_per_star == 10
    who = [
        ({"job_title": "CEO"}, 2),
        ({"job_title": "Team Lead"}, 1),
        ({"employees": 50.0}, 1),
        ({"employees": 500.0}, 2),
    ]
    for attributes, stars in [*who, ({"industry": "Software"}, 1), ({"student": True}, -3), (FIVE, 5)]:
        assert story("stars", until=day(), **attributes).score("who") == stars * 10_000_000
    does = [
        (views(3, url="/"), 1),
        (views(2, url="/"), 0),
        (views(1), 1),
        (views(9), 2),
        ([event("webinar")], 1),
        ([event("form_submit", form="ebook")] * 2, 1),
        ([DEMO, DEMO], 2),
        ([event("unsubscribe")], -2),
    ]
    for events, stars in does:
        assert story("stars", events, until=day()).score("does") == stars * 10_000_000


def test_stars_are_whole():
    """At no time does a score lie between two stars."""
    leads, events = log("stars", 300, seed=3)
    replay = SCORERS["stars"].replay(events, leads, until="2027-01-01", micropoints=True, score_changes=True)

    assert len(replay.score_changes) > 1000
    assert {row["after"] % 10_000_000 for row in replay.score_changes.to_dicts()} == {0}


def test_stars_points_per_star_scales_all():
    """A star of 20 points makes seven of them 140."""
    text = preset_text("stars").replace("points_per_star: 10", "points_per_star: 20")
    scorer = lc.Scorer(lc.Model.from_yaml(text))

    assert (
        scorer.score_lead(
            FIVE | {"student": None}, [{"type": "form_submit", "at": MONDAY, "form": "demo"}], as_of=MONDAY
        )["total"]
        == 140
    )


def test_stars_go_out(story):
    """A demo shines for 90 days: at six stars it stays hot, at five it does not; without any it rests."""
    found = story("stars", [DEMO], until=day(200), **FIVE)
    assert found.moves[2:] == [("hot", "seven_stars"), ("warm", "five_stars"), ("resting", "stars_out")]
    assert found.stay("resting")["entered_at"] == day(91).replace(hour=0)

    six = story(
        "stars", [event("webinar"), event("form_submit", form="ebook"), *views(1, day(40))], until=day(62), **FIVE
    )
    assert (six.score("total"), six.stage) == (60_000_000, "hot")


def test_stars_not_now(story):
    """All stars for acts go out, so that the lead rests until there are two new ones."""
    events = [DEMO, event("sales_answer", day(1), answer="not_now")]
    found = story("stars", [*events, *views(2, day(5))], until=day(6), **FIVE)
    assert (found.stage, found.score("does")) == ("resting", 10_000_000)
    found = story("stars", [*events, *views(3, day(5))], until=day(6), **FIVE)
    assert found.moves[-2:] == [("warm", "two_stars"), ("hot", "seven_stars")]


@pytest.mark.parametrize(("answered", "status"), [(day(1), "met"), (day(1) + SECOND, "met_late")])
def test_stars_a_day(story, answered, status):
    """Called within 24 hours."""
    found = story("stars", [DEMO, event("sales_answer", answered, answer="accepted")], until=day(9), **FIVE)

    assert (found.stage, found.stay("hot")["sla_status"]) == ("talking", status)
    assert found.alerts == [("hot", day(), 1, ["rep"]), ("hot", day(1), 2, ["rep", "manager"])][: 1 + (status != "met")]
