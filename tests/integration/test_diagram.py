"""Pictures of lifecycles: what they say, where it stands, and that no name can add anything to them."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import mermaidx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import leadcore as lc
from leadcore._arrow import from_python
from leadcore._diagram.layout import layout
from leadcore._diagram.letters import harmless, lines, width
from leadcore._diagram.sketch import sketch
from leadcore._diagram.traffic import traffic
from leadcore.model.wording import Wording

SIX_STAGES = Path(__file__).parents[1] / "data/six_stage.yaml"
SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = [
    "<script>alert(1)</script>", '"]; click s0 href "javascript:alert(1)"', "end", "a\"b'c`d", "x --> y", "~~~ x",
    '%%{init: {"theme":"dark"}}%%', "1. list", "- dash", "> quote", "**bold** __x__ _y_", "$$x^2$$", "A & B",
    "#quot; &lt; &amp; #35;", "subgraph a", "日本語のステージ", "العربية مرحلة", "emoji 🎉 party", "\u202eevil", "a\nb\tc",
    "e\u0301\u0302\u0303\u0304\u0305\u0306", "graph TB; A-->B", "</title><style>*{display:none}</style>", "fa:fa-car",
    "@{ shape: x }", "{{a}}|b|", "very_long_name_" * 12, "W" * 90, "a very long name with many words " * 6, "\\n <br/> x",
    "![i](http://x/y.png)", "x\x00\x07y", "http://x.test/?a=1&b=2", "classDef x fill:red", '"`md **x**`"', "﷽",
    "ﬂ°35¶ß", "style x:y;", "]]></svg>", "{%raw%}",
]  # fmt: skip


def model(stages, transitions, **more):
    """A model of this lifecycle; stages are names or documents, the first is initial."""
    stages = [stage if isinstance(stage, dict) else {"name": stage} for stage in stages]
    return lc.Model.model_validate(
        {
            "name": more.pop("name", "drawn"),
            "attributes": {"country": "text", "fit": "text"},
            "events": {"act": {"what": "text"}},
            "scores": {"total": {"criteria": []}, "fit": {"criteria": []}},
            "thresholds": {"mql": {"score": "total", "at": 65}},
            "lifecycle": {"initial": stages[0]["name"], "stages": stages, "transitions": transitions, **more},
        }
    )


def rule(name, sources, to, **more):
    return {"name": name, "from": sources, "to": to, **more}


def any_model(seed, names=("stage", "nurture", "a_long_name_here")):
    """A model of 1 to 40 stages and up to 60 transitions of all kinds."""
    rng = random.Random(seed)
    stages = []
    for i in range(rng.randint(1, 40)):
        kind = rng.choices(["success", "detour", "exit"], [6, 3, 2])[0]
        stage = {"name": f"{rng.choice(names)} {i}", "kind": kind}
        if rng.random() < 0.5:
            stage["owner"] = rng.choice(names)
        if rng.random() < 0.4:
            stage["sla"] = {"due": "36h", "alerts": [{"after": "1h", "notify": "x"}] * rng.randint(0, 7)}
        stages.append(stage)
    known = [stage["name"] for stage in stages]
    rules = []
    for i in range(rng.randint(0, 60)):
        to = rng.choice(known)
        sources = [name for name in rng.sample(known, min(len(known), rng.choice([1, 1, 1, 2, 3, 12]))) if name != to]
        one = rule(f"{rng.choice(names)} {i}", "*" if rng.random() < 0.1 else sources, to)
        if rng.random() < 0.5:
            one["when"] = {"any": [{"field": "score.total", "op": "ge", "value": i}, {"not": condition(rng, names)}]}
        if rng.random() < 0.3:
            one["on"] = "act"
        if rng.random() < 0.3:
            one["after"] = "3d"
        rules += [one] if sources else []
    more = {"manual": {"on": "act", "field": "what"}} if rng.random() < 0.6 else {}
    return model(stages, rules, name=f"{rng.choice(names)} {seed}", **more)


def condition(rng, names):
    return {"field": "country", "op": "in", "value": [rng.choice(names), "NO"]}


def stages_of(root):
    """The boxes of a picture: class, left, top, right, bottom, texts."""
    boxes = []
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").startswith("stage "):
            r = {key: float(group.find(f"{SVG}rect").get(key)) for key in ("x", "y", "width", "height")}
            texts = [text.text for text in group.iter(f"{SVG}text")]
            boxes.append((group.get("class"), r["x"], r["y"], r["x"] + r["width"], r["y"] + r["height"], texts))
    return boxes


def meet(a, b):
    return a[0] < b[2] - 0.01 and b[0] < a[2] - 0.01 and a[1] < b[3] - 0.01 and b[1] < a[3] - 0.01


# The six stages of the spec


def test_success_path_is_straight_and_the_rest_beside_it():
    """The success stages have one middle and go down in order; the detour is right of them, the exit lowest on the right."""
    boxes = stages_of(ElementTree.fromstring(lc.Model.load(SIX_STAGES).diagram().to_svg()))

    path = [box for box in boxes if box[0].startswith("stage success")]
    (detour,) = (box for box in boxes if box[0] == "stage detour")
    (leave,) = (box for box in boxes if box[0] == "stage exit")
    assert [box[5][0] for box in path] == ["new", "engaged", "prospect", "mql", "sql", "opportunity"]
    assert len({(box[1] + box[3]) / 2 for box in path}) == 1
    assert all(above[4] < below[2] for above, below in pairwise(path))
    assert path[0][0] == "stage success initial"
    assert detour[1] > path[0][3]
    assert leave[2] > detour[4] + 40
    assert path[3][5] == ["mql", "sales", "due 2d", "alerts at 0s, 1d, 2d and 3d"]


def test_mermaid_text():
    """Names, owners, service levels, conditions, and steps that only people take."""
    drawn = lc.Model.load(SIX_STAGES).diagram()

    lines = [line.strip() for line in str(drawn).splitlines()]
    assert str(drawn) == drawn.mermaid
    assert lines[0] == "flowchart TB"
    for wanted in (
        's3("mql<br/>sales<br/>due 2d<br/>alerts at 0s, 1d, 2d and 3d"):::success',
        's7[["disqualified<br/>marketing"]]:::exit',
        "start --> s0",
        's0 -->|"first_act<br/>on page_view, form_submit or webinar"| s1',
        's1 -->|"profile_fits<br/>fit >= 20"| s2',
        's3 -->|"gone_cold<br/>after 3d, mql not reached"| s6',
        's3 -->|"not_a_buyer<br/>fit <= -50"| s7',
        's3 -.->|"by hand"| s4',
    ):
        assert wanted in lines


def test_straight_arrows():
    """A step of the success path is drawn as one line straight down, from box to box."""
    root = ElementTree.fromstring(lc.Model.load(SIX_STAGES).diagram().to_svg())

    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "arrow" and int(group.get("data-to")) == int(group.get("data-from")) + 1 < 6:
            (x, _), (to_x, _) = re.findall(r"[ML]([\d.]+),([\d.]+)", group.find(f"{SVG}path").get("d"))
            assert x == to_x


# Arrows


def test_transitions_between_the_same_stages_share_an_arrow():
    rules = [rule("one", "a", "b", on="act"), rule("two", ["a", "c"], "b", after="2h")]
    drawn = sketch(model(["a", "b", "c"], rules))

    assert [(arrow.source, arrow.target, [rule.name for rule in arrow.rules]) for arrow in drawn.arrows] == [
        (0, 1, ["one", "two"]),
        (2, 1, ["two"]),
    ]


def test_any_stage_has_one_arrow():
    """`*` over 200 stages is one arrow from a box that says so, and so is the same spelt out."""
    names = [f"s{i}" for i in range(200)]
    for sources in ("*", names[1:]):
        drawn = sketch(model([*names, {"name": "x", "kind": "exit"}], [rule("back", sources, "s0")]))

        assert [(arrow.source, arrow.target) for arrow in drawn.arrows] == [(201, 0)]
        assert (drawn.boxes[201].name, drawn.boxes[201].notes) == ("any stage", ("but exits",))


def test_many_stages_have_one_arrow_that_names_some():
    names = [f"s{i}" for i in range(20)]
    drawn = sketch(model(names, [rule("some", names[3:15], "s0", on="act"), rule("back", "*", "s1")]))

    assert [arrow.rules[0].asks for arrow in drawn.arrows] == [
        "from s3, s4, s5, s6 or 8 more, on act",
        "from any stage",
    ]
    assert drawn.boxes[20].name == "several stages"


def test_an_arrow_names_at_most_seven_transitions():
    drawn = sketch(model(["a", "b"], [rule(f"r{i}", "a", "b") for i in range(9)]))

    assert [rule.title for rule in drawn.arrows[0].shown()] == [*(f"r{i}" for i in range(6)), "and 3 more"]


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ({"field": "score.total", "op": "ge", "value": 65}, "total >= 65"),
        ({"field": "score.fit", "op": "lt", "value": 0.50}, "score.fit < 0.5"),  # there is an attribute fit
        ({"field": "threshold.mql", "op": "eq", "value": True}, "mql reached"),
        ({"field": "threshold.mql", "op": "ne", "value": True}, "mql not reached"),
        ({"field": "stage.age", "op": "ge", "value": 3}, "stage.age >= 3 days"),
        ({"field": "stage.visits", "op": "between", "value": [1, 3]}, "stage.visits 1 to 3"),
        ({"field": "lead.country", "op": "exists", "value": False}, "country is not set"),
        ({"field": "country", "op": "starts_with", "value": ["N O", "S"]}, "country starts with 'N O' or S"),
        ({"field": "country", "op": "in", "value": list("abcdefg")}, "country in a, b, c, d or 3 more"),
        ({"all": []}, "always"),
        (
            {"all": [{"field": "fit", "op": "ne", "value": "x"}, {"any": [{"not": {"any": []}}, {"all": []}]}]},
            "fit != x and (not (never) or always)",
        ),
    ],
)
def test_words_of_conditions(when, text):
    one = model(["a", "b"], [rule("r", "a", "b", when=when)])

    assert Wording(one).transition(one.lifecycle.transitions[0]) == text


def test_titles_stand_for_names():
    stages = [{"name": "a", "title": "First"}, "b"]
    drawn = sketch(model(stages, [rule("r", "a", "b", title="Moves on")]))

    assert (drawn.boxes[0].name, drawn.arrows[0].rules[0].name) == ("First", "Moves on")


# Nothing lies over anything else


def faults_of_layout(model):
    """Boxes and words that overlap, lines through boxes or words, words outside their box or the picture."""
    placed = layout(sketch(model))
    rectangles = [place.rectangle for place in placed.places]
    rectangles += [line.rectangle for route in placed.routes for line in route.words]
    rectangles += [line.rectangle for line in placed.texts]
    for i, a in enumerate(rectangles):
        yield from (("overlap", a, b) for b in rectangles[i + 1 :] if meet(a, b))
        if not (min(a) >= 0 and a[2] <= placed.width and a[3] <= placed.height):
            yield "outside", a
    across, down = [], []
    for route in placed.routes:
        for (x, y), (to_x, to_y) in pairwise(route.points):
            near, far = (min(x, to_x), min(y, to_y)), (max(x, to_x), max(y, to_y))
            if x == to_x:
                line = (x - 0.7, near[1] + 0.7, x + 0.7, far[1] - 0.7)
            else:
                line = (near[0] + 0.7, y - 0.7, far[0] - 0.7, y + 0.7)
            (down if x == to_x else across).append((line, route.arrow.target))
            yield from (("through", line, a) for a in rectangles if meet(line, a))
    for side in (across, down):
        for i, (line, to) in enumerate(side):
            yield from (("same line", line, b) for b, other in side[i + 1 :] if to != other and meet(line, b))
    for place in placed.places:
        x, y, right, bottom = place.rectangle
        for line in place.words:
            a = line.rectangle
            if not (x <= a[0] and y <= a[1] and a[2] <= right and a[3] <= bottom):
                yield "out of its box", a


@pytest.mark.parametrize("names", [("stage", "nurture", "a_long_name_here"), HOSTILE], ids=["plain", "hostile"])
def test_nothing_overlaps(names):
    """Boxes, words and lines keep apart, whatever the lifecycle, from one stage to forty."""
    assert {seed: fault for seed in range(60) for fault in faults_of_layout(any_model(seed, names))} == {}


def test_largest_model_is_drawn():
    """256 stages and 4,096 transitions, each out of eight stages: some megabytes, not forever."""
    names = [f"s{i}" for i in range(256)]
    stages = [{"name": name, "kind": "detour" if i % 2 else "success"} for i, name in enumerate(names)]
    rules = []
    for i in range(4096):
        sources = {names[(7 * i + 3 * j + i % 13) % 256] for j in range(8)} - {names[i % 256]}
        rules.append(rule(f"r{i}", sorted(sources), names[i % 256]))

    assert 1e6 < len(model(stages, rules).diagram().to_svg()) < 2e7


# Names of others


def test_svg_holds_names_as_text_only():
    """No element, attribute, script or link comes out of a name, and every name can be read."""
    plain = {element.tag for element in ElementTree.fromstring(any_model(3).diagram().to_svg()).iter()}
    for i, name in enumerate(HOSTILE):
        stages = [{"name": f"{name} {j}", "title": f"{name} {j}", "owner": name} for j in range(3)]
        stages[1]["goal"] = name
        rules = [rule(f"{name} {j}", f"{name} 0", f"{name} {j}", title=name) for j in (1, 2)]
        text = model(stages, rules, name=name).diagram().to_svg()

        root = ElementTree.fromstring(text)
        assert {element.tag for element in root.iter()} <= plain
        assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]
        titles = [title.text for title in root.iter(f"{SVG}title")]
        assert any(title.startswith(harmless(f"{name} 0")) for title in titles), i
        assert not set(text) & set("\x00\x07\u202e")


@pytest.mark.parametrize("begin", range(0, len(HOSTILE), 10))
def test_mermaid_shows_hostile_names_as_they_are(begin):
    """Mermaid itself reads the text: every name is drawn as it stands, and nothing else comes of it."""
    names = HOSTILE[begin : begin + 10]
    known = [f"{name} {i}" for i, name in enumerate(names)]
    stages = [{"name": stage, "owner": name} for stage, name in zip(known, names, strict=True)]
    rules = [rule(name, stage, to) for name, (stage, to) in zip(names, pairwise(known), strict=False)]
    drawn = model(stages, [*rules, rule(f"{names[-1]} all", "*", known[0])]).diagram()

    root = ElementTree.fromstring(mermaidx.render(drawn.mermaid).svg())

    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    shown = joined("".join(root.itertext()))
    assert not tags & {"script", "a", "img", "image", "i", "em", "strong", "ul", "ol", "li", "code", "math"}
    for text in (*known, *names, f"{names[-1]} all"):
        assert joined(harmless(text)) in shown, text


def joined(text):
    return re.sub(r"[\s\u2060]+", "", text)


@pytest.mark.parametrize("seed", [2, 3])
def test_mermaid_reads_it(seed):
    """Every box and every arrow arrives in Mermaid's picture."""
    one = any_model(seed)
    drawn = sketch(one)

    svg = mermaidx.render(one.diagram().mermaid).svg()

    root = ElementTree.fromstring(svg)
    nodes = [element for element in root.iter() if (element.get("class") or "").startswith("node ")]
    assert len(nodes) == len(drawn.boxes) + 1
    arrows = [element for element in root.iter() if element.get("data-edge") == "true" and element.get("marker-end")]
    assert len(arrows) == len(drawn.arrows) + 1


@given(st.text(max_size=60))
@example("\ud800")
@example("\ufffe\uffff")
@example("a" * 10_000)
def test_any_text_is_made_harmless(text):
    """Whatever the text: XML allows it, it is one line, and stays within the width it is given."""
    safe = harmless(text)

    ElementTree.fromstring("<a>" + safe.replace("&", "&amp;").replace("<", "&lt;") + "</a>")
    assert "\n" not in safe
    assert len(safe) <= 400
    found = lines(safe, 80, 11, 3)
    assert len(found) <= 3
    assert all(width(line, 11) <= 80 or len(line) <= 2 for line in found)


# With a replay

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def table(*rows):
    return lc.Frame(from_python(list(rows)))


def move(lead, source, to, by, cause="event"):
    return {"lead_id": lead, "from_stage": source, "to_stage": to, "rule": by, "cause": cause}


def span(lead, stage, entered, left):
    return {
        "lead_id": lead, "stage": stage, "entered_at": START + entered * DAY,
        "left_at": None if left is None else START + left * DAY,
    }  # fmt: skip


def replay(**more):
    """Four leads, counted by hand below."""
    tables = {
        "transitions": table(
            move(1, None, "new", None, "birth"), move(1, "new", "hot", "ready"), move(1, "hot", "won", None, "manual"),
            move(2, None, "new", None, "birth"), move(2, "new", "hot", "ready"), move(2, "hot", "lost", "give_up", "grid"),
            move(3, None, "new", None, "birth"), move(3, "new", "lost", None, "manual"),
            move(4, None, "new", None, "birth"), move(4, "new", "hot", "ready"),
        ),
        "spans": table(
            span(1, "new", 0, 1), span(1, "hot", 1, 3), span(1, "won", 3, None),
            span(2, "new", 0, 2), span(2, "hot", 2, 5), span(2, "lost", 5, None),
            span(3, "new", 0, 4), span(3, "lost", 4, None),
            span(4, "new", 0, 10), span(4, "hot", 10, None),
        ),
        "states": table(*({"lead_id": n, "stage": s} for n, s in enumerate(["won", "lost", "lost", "hot", None], 1))),
    }  # fmt: skip
    return SimpleNamespace(**{**tables, **more})


def replayed_model():
    stages = ["new", "hot", "won", {"name": "lost", "kind": "exit"}]
    rules = [rule("ready", "new", "hot", on="act"), rule("give_up", "*", "lost", after="3d")]
    return model(stages, rules, manual={"on": "act", "field": "what"})


def test_figures_by_hand():
    """Leads at the end, entries with births, medians of finished stays: of four the mean of the middle two."""
    counted = traffic(replayed_model().lifecycle, replay())

    stays = {name: (stay.now, stay.entries, stay.median_days) for name, stay in counted.stays.items()}
    assert stays == {
        "new": (0, 4, Fraction(3)),  # 1, 2, 4, 10
        "hot": (1, 3, Fraction(5, 2)),  # 2, 3
        "won": (1, 1, None),
        "lost": (2, 2, None),
    }
    assert counted.moves == {
        ("new", "hot", "ready"): 3, ("hot", "won", None): 1, ("hot", "lost", "give_up"): 1, ("new", "lost", None): 1,
    }  # fmt: skip


def test_medians_are_exact():
    """To half a microsecond, where floats would have lost it."""
    micro = timedelta(microseconds=1)
    left = [START + 3000 * DAY, START + 3000 * DAY + micro]
    spans = table(*({"stage": "new", "entered_at": START, "left_at": at} for at in left))

    counted = traffic(replayed_model().lifecycle, replay(spans=spans))

    assert counted.stays["new"].median_days == 3000 + Fraction(1, 2 * 86_400_000_000)


def test_figures_in_the_picture():
    drawn = replayed_model().diagram(replay())

    lines = [line.strip() for line in drawn.mermaid.splitlines()]
    for wanted in (
        's0("new<br/>0 leads at the end<br/>4 entries<br/>median stay 3 days"):::success',
        's1("hot<br/>1 lead at the end<br/>3 entries<br/>median stay 2.5 days"):::success',
        's2("won<br/>1 lead at the end<br/>1 entry"):::success',
        's3[["lost<br/>2 leads at the end<br/>2 entries"]]:::exit',
        's0 -->|"ready × 3<br/>on act"| s1',
        's1 -.->|"by hand × 1"| s2',
        'any -->|"give_up × 1<br/>after 3d"| s3',
        'hand -.->|"by hand × 1"| s3',
    ):
        assert wanted in lines
    boxes = stages_of(ElementTree.fromstring(drawn.to_svg()))
    assert boxes[0][5] == ["new", "0 leads at the end", "4 entries", "median stay 3 days"]
    assert not [box for box in boxes if any(meet(box[1:5], other[1:5]) for other in boxes if other is not box)]


def test_empty_replay():
    """No lead at all: zeros, no medians."""
    rows = {"lead_id": 1, "from_stage": None, "to_stage": "new", "rule": None, "stage": "new", "entered_at": START}
    none = table({**rows, "left_at": START}).table.take(np.arange(0))
    frames = dict.fromkeys(("transitions", "spans", "states"), lc.Frame(none))

    drawn = replayed_model().diagram(SimpleNamespace(**frames))

    assert 's0("new<br/>0 leads at the end<br/>0 entries"):::success' in drawn.mermaid


def test_real_replay():
    """The tables of a replay are understood: each lead stands somewhere, and each move on some arrow."""
    one = lc.Model.load(SIX_STAGES)
    events = [
        {"lead_id": n, "at": START + n * DAY, "type": kind, "url": "/pricing", "form": "demo", "minutes": None, "status": "sql"}
        for n in range(5)
        for kind in (["page_view", "status_changed"] if n % 2 else ["page_view"])
    ]  # fmt: skip
    replayed = lc.Scorer(one).replay(events, until=START + 30 * DAY)

    counted = traffic(one.lifecycle, replayed)

    assert sum(stay.now for stay in counted.stays.values()) == 5
    assert sum(counted.moves.values()) == len(replayed.transitions) - 5
    assert "5 entries" in one.diagram(replayed).to_svg()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"states": table({"lead_id": 1, "stage": "sold"})},
            "this replay is of another model: there is no stage `sold` in the lifecycle drawn",
        ),
        (
            {"transitions": table(move(1, "new", "hot", "sold"))},
            "this replay is of another model: there is no transition `sold` in the lifecycle drawn",
        ),
    ],
)
def test_replay_of_another_model(more, message):
    with pytest.raises(lc.LeadcoreError, match=re.escape(message)):
        replayed_model().diagram(replay(**more))


# The class


def test_save(tmp_path):
    drawn = lc.Model.load(SIX_STAGES).diagram()
    for name in ("a.svg", "a.mmd", "a.MD"):
        drawn.save(tmp_path / name)

    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == drawn.to_svg()
    assert (tmp_path / "a.mmd").read_text(encoding="utf-8") == drawn.mermaid
    assert (tmp_path / "a.MD").read_text(encoding="utf-8") == f"```mermaid\n{drawn.mermaid}```\n"
    with pytest.raises(lc.LeadcoreError, match=r"a.png does not end in one of .svg, .mmd, .md"):
        drawn.save(tmp_path / "a.png")


def test_notebooks():
    drawn = lc.Model.load(SIX_STAGES).diagram()

    assert drawn._repr_svg_() == drawn.to_svg()
    assert drawn.to_svg() in drawn._repr_html_()
    assert repr(drawn) == "Diagram('six-stage', 8 stages, 11 arrows)"


def test_no_lifecycle():
    one = lc.Model.model_validate({"name": "plain", "scores": {"s": {"criteria": []}}})

    with pytest.raises(lc.LeadcoreError, match="the model `plain` has no lifecycle: there is nothing to draw"):
        one.diagram()


def test_the_same_twice():
    """Nothing random, no clock: the same model, the same bytes."""
    assert any_model(7).diagram().to_svg() == any_model(7).diagram().to_svg()


# On the command line


def test_command(leadcore, folder):
    (folder / "six.yaml").write_text(SIX_STAGES.read_text(encoding="utf-8"), encoding="utf-8")
    drawn = lc.Model.load(SIX_STAGES).diagram()

    assert leadcore("diagram six.yaml").out == drawn.mermaid
    assert leadcore("diagram six.yaml --format svg --out -").out == drawn.to_svg()
    for name in ("p.svg", "p.mmd", "p.md"):
        ended = leadcore(f"diagram six.yaml --out {name}")
        assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (folder / "p.svg").read_text(encoding="utf-8") == drawn.to_svg()
    assert (folder / "p.mmd").read_text(encoding="utf-8") == drawn.mermaid


def test_command_does_not_write_over_the_model(leadcore, folder):
    (folder / "six.md").write_text(SIX_STAGES.read_text(encoding="utf-8"), encoding="utf-8")

    ended = leadcore("diagram six.md --out ./six.md")

    assert (ended.code, ended.err) == (2, "leadcore: --out would write over MODEL ./six.md\n")


@pytest.mark.parametrize("name", ["lifecycle.svg"])
def test_pictures_of_the_documentation_are_of_today(name):
    """`docs/images` holds what `leadcore diagram tests/data/six_stage.yaml` draws."""
    there = Path(__file__).parents[2] / "docs/images" / name

    assert there.read_text(encoding="utf-8") == lc.Model.load(SIX_STAGES).diagram().to_svg()
