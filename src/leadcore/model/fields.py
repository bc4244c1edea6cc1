"""Fields of typed Python: classes that declare attributes and properties, and what can be asked of them (spec 3).

``Lead.job_title.contains("VP") & (Lead.employees >= 200)`` builds the same conditions that a document spells out.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, NoReturn, TypeVar, Union, get_args, get_origin

from leadcore.model.condition import Clause, refuse_truth

V = TypeVar("V")
"""What a field is compared with."""


class Field(Generic[V]):
    """A declared field: comparing it makes a condition.

    Args:
        name: The field as conditions name it, ``job_title`` or ``event.url``.
        optional: The column may be missing (spec 2.3).
        title: What people read instead of the name.
        description: What it says about the lead or event.
    """

    kind: ClassVar[str] = ""

    def __init__(
        self, name: str, *, optional: bool = False, title: str | None = None, description: str | None = None
    ) -> None:
        self.__field_name__ = name.rpartition(".")[2]
        self._name = name
        self._more = {"optional": optional, "title": title, "description": description}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    def __hash__(self) -> int:
        return hash((type(self), self._name))

    def __bool__(self) -> bool:
        refuse_truth(f"the field {self._name}")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"`in` cannot look into the field {self._name}: use .contains(...) for text")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"the field {self._name} is one value, it cannot be walked through")

    def _clause(self, op: str, value: Any, case_sensitive: bool | None = None) -> Clause:
        return Clause(field=self._name, op=op, value=value, case_sensitive=case_sensitive)

    def __eq__(self, other: V) -> Clause:  # type: ignore[override]  # a condition, no bool
        return self._clause("eq", other)

    def __ne__(self, other: V) -> Clause:  # type: ignore[override]  # a condition, no bool
        return self._clause("ne", other)

    def is_in(self, *values: V) -> Clause:
        """The field is one of these values."""
        return self._clause("in", values)

    def not_in(self, *values: V) -> Clause:
        """The field is none of these values, or null."""
        return self._clause("not_in", values)

    def exists(self, there: bool = True) -> Clause:
        """The field is not null; with False: it is null."""
        return self._clause("exists", there)


class _Ordered(Field[V]):
    """A field whose values have an order."""

    def __lt__(self, other: V) -> Clause:
        return self._clause("lt", other)

    def __le__(self, other: V) -> Clause:
        return self._clause("le", other)

    def __gt__(self, other: V) -> Clause:
        return self._clause("gt", other)

    def __ge__(self, other: V) -> Clause:
        return self._clause("ge", other)

    def between(self, low: V, high: V) -> Clause:
        """The field lies between two values, both included."""
        return self._clause("between", (low, high))


class Number(_Ordered[int | float | Decimal]):
    """A field of numbers."""

    kind = "number"


class Instant(_Ordered[datetime | date | str]):
    """A field of instants: datetime, date or ISO 8601 text; naive is UTC."""

    kind = "instant"


class Boolean(Field[bool]):
    """A field that is true or false."""

    kind = "boolean"


class Text(Field[str]):
    """A field of text. Text is compared without case unless ``case_sensitive`` says otherwise (spec 3.4)."""

    kind = "text"

    def contains(self, *texts: str, case_sensitive: bool | None = None) -> Clause:
        """The field contains one of these texts."""
        return self._any_of("contains", texts, case_sensitive)

    def has_word(self, *words: str, case_sensitive: bool | None = None) -> Clause:
        """The field contains one of these as whole words."""
        return self._any_of("has_word", words, case_sensitive)

    def starts_with(self, *texts: str, case_sensitive: bool | None = None) -> Clause:
        """The field starts with one of these texts."""
        return self._any_of("starts_with", texts, case_sensitive)

    def ends_with(self, *texts: str, case_sensitive: bool | None = None) -> Clause:
        """The field ends with one of these texts."""
        return self._any_of("ends_with", texts, case_sensitive)

    def matches(self, *patterns: str, case_sensitive: bool | None = None) -> Clause:
        """One of these regular expressions is found anywhere in the field."""
        return self._any_of("matches", patterns, case_sensitive)

    def _any_of(self, op: str, texts: tuple[str, ...], case_sensitive: bool | None) -> Clause:
        return self._clause(op, texts[0] if len(texts) == 1 else texts, case_sensitive)


class _More:
    """What `field` says about a declaration until its class knows the name."""

    def __init__(self, more: Mapping[str, Any]) -> None:
        self.more = more


def field(*, optional: bool = False, title: str | None = None, description: str | None = None) -> Any:
    """Say more about a declared field than its type: ``region: lc.Text = lc.field(optional=True)``."""
    return _More({"optional": optional, "title": title, "description": description})


class _FieldsType(type):
    """Turns the annotations of a class into fields."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], /, **keys: Any) -> _FieldsType:
        event_type = keys.pop("name", None)
        made = super().__new__(mcs, name, bases, body)
        if not bases:
            return made
        prefix = ""
        if any(base.__name__ == "EventType" for base in made.__mro__[1:]):
            made.__event_type__ = event_type or _snake(name)  # type: ignore[attr-defined]  # made by the metaclass
            prefix = "event."
        elif event_type is not None:
            raise TypeError("only event types are named: class PageView(lc.EventType, name=...)")
        fields: dict[str, Field[Any]] = {}
        for base in reversed(made.__mro__[1:]):
            fields |= {
                key: type(value)(prefix + key, **value._more) for key, value in getattr(base, "__fields__", {}).items()
            }
        for key, annotation in _annotations(made).items():
            fields[key] = _made(prefix + key, annotation, body.get(key), f"{name}.{key}")
        for key, value in fields.items():
            setattr(made, key, value)
        made.__fields__ = fields  # type: ignore[attr-defined]  # made by the metaclass
        return made

    def __call__(cls, *args: Any, **keys: Any) -> NoReturn:
        raise TypeError(f"{cls.__name__} declares fields; leads and events are given as tables or dicts")


class Attributes(metaclass=_FieldsType):
    """The attributes of leads: annotate each with its type.

    ``lc.Text``, ``lc.Number``, ``lc.Boolean`` and ``lc.Instant`` are what type checkers understand. ``str``, ``int``,
    ``float``, ``bool``, ``datetime`` mean the same at run time, and
    to mypy with its plugin ``leadcore.mypy``; with ``| None`` the column may be missing.

    Example:
        >>> class Lead(Attributes):
        ...     job_title: Text
        ...     employees: Number
        ...     region: str | None
        >>> Lead.job_title.contains("VP") & (Lead.employees >= 200)
        All(all=(Clause(field='job_title', op='contains', value='VP'), Clause(field='employees', op='ge', value=Decimal('200'))))
    """

    __fields__: ClassVar[dict[str, Field[Any]]] = {}


class EventType(metaclass=_FieldsType):
    """One type of event and its properties; the type is called as the class, in snake case, or by ``name=``.

    Example:
        >>> class PageView(EventType):
        ...     url: Text
        >>> PageView.__event_type__, PageView.url.starts_with("/pricing")
        ('page_view', Clause(field='event.url', op='starts_with', value='/pricing'))
    """

    __fields__: ClassVar[dict[str, Field[Any]]] = {}
    __event_type__: ClassVar[str]


def declared(owner: type) -> dict[str, dict[str, Any]]:
    """The fields of a class as a document declares them."""
    fields: dict[str, Field[Any]] = owner.__fields__  # type: ignore[attr-defined]  # made by the metaclass
    return {
        name: {"type": field.kind, **{key: value for key, value in field._more.items() if value}}
        for name, field in fields.items()
    }


_KINDS: dict[Any, type[Field[Any]]] = {
    str: Text,
    int: Number,
    float: Number,
    Decimal: Number,
    bool: Boolean,
    datetime: Instant,
    date: Instant,
    **{kind: kind for kind in (Text, Number, Boolean, Instant)},
}
_BY_NAME = {kind.__name__: field for kind, field in _KINDS.items()}


def _made(name: str, annotation: Any, more: Any, where: str) -> Field[Any]:
    options = dict(more.more) if isinstance(more, _More) else {}
    if isinstance(annotation, str):
        annotation, optional = _by_text(annotation)
    else:
        annotation, optional = _without_none(annotation)
    if annotation not in _KINDS:
        raise TypeError(
            f"{where}: a field is lc.Text, lc.Number, lc.Boolean or lc.Instant, or str, int, float, Decimal, bool,"
            " datetime or date, with `| None` where its column may be missing"
        )
    if optional:
        options["optional"] = True
    return _KINDS[annotation](name, **options)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        if len(kinds) == 1 and len(get_args(annotation)) == 2:
            return kinds[0], True
    return annotation, False


def _by_text(annotation: str) -> tuple[Any, bool]:
    """An annotation that could not be looked up where it stands: read by its last name."""
    text = annotation.replace(" ", "")
    bare = re.sub(r"^(?:typing\.)?Optional\[(.*)\]$|^None\||\|None$", r"\1", text)
    return _BY_NAME.get(bare.rpartition(".")[2]), bare != text


def _annotations(owner: type) -> dict[str, Any]:
    """The class's own annotations, looked up where that is possible."""
    try:
        found = inspect.get_annotations(owner, eval_str=True)
    except (NameError, AttributeError, TypeError):
        found = inspect.get_annotations(owner)
    return {key: value for key, value in found.items() if not key.startswith("__") and not _class_var(value)}


def _class_var(annotation: Any) -> bool:
    text = annotation if isinstance(annotation, str) else ""
    return get_origin(annotation) is ClassVar or annotation is ClassVar or "ClassVar" in text


def _snake(name: str) -> str:
    """``PageView`` as ``page_view``, ``CRMSync`` as ``crm_sync``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
