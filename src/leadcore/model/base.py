"""What every part of a model document shares: frozen, checked, and read by its own keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from leadcore.model.limits import MOST_FAULTS

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:  # the same class, without naming pydantic's private module at run time
    ModelMetaclass = type(BaseModel)

V = TypeVar("V")


class PartType(ModelMetaclass):
    """Makes a part built in Python raise `ModelError`, as the same part of a document would."""

    if not TYPE_CHECKING:  # type checkers are to read the fields, not this signature

        def __call__(cls, *args, **keys):  # noqa: D102, N805
            try:
                return super().__call__(*args, **keys)
            except ValidationError as error:
                from leadcore.model.shape import refusal

                raise refusal(error, keys, cls) from None


class Part(BaseModel, metaclass=PartType):
    """A frozen piece of a model document: unknown keys are refused, keys starting ``x-`` are kept (spec 11)."""

    model_config = ConfigDict(
        frozen=True, extra="allow", validate_by_name=True, validate_by_alias=True, defer_build=True
    )

    __pydantic_extra__: dict[  # pyright: ignore
        Annotated[str, Field(pattern="^x-")], Annotated[Any, BeforeValidator(lambda value: freeze(value))]
    ] = Field(init=False)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Check a mapping of the document's keys and make a part of it.

        Raises:
            ModelError: The document is refused; it lists every fault.
        """
        try:
            return super().model_validate(obj, **{"by_alias": True, "by_name": False, **options})
        except ValidationError as error:
            from leadcore.model.shape import refusal

            raise refusal(error, obj, cls) from None

    def __repr_args__(self) -> Any:
        """Only what was set to something, so that a part reads as it was written."""
        for name in type(self).model_fields:
            value = self.__dict__[name]
            if name in self.model_fields_set and value is not None:
                yield name, value
        yield from (self.__pydantic_extra__ or {}).items()

    def __str__(self) -> str:
        return repr(self)


class Named(dict[str, V]):
    """An immutable mapping of names; keys starting ``x-`` stand aside in ``extensions`` (spec 11).

    Equal to a plain dict of the same entries. ``dict(named)`` is a mutable copy.
    """

    __slots__ = ("extensions",)

    extensions: dict[str, Any]

    def __init__(self, entries: Any = (), extensions: Mapping[str, Any] | None = None) -> None:
        super().__init__(entries)
        object.__setattr__(self, "extensions", dict(extensions or {}))

    def __hash__(self) -> int:  # type: ignore[override]  # pydantic declares None
        return hash(frozenset(self.items()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Named) and self.extensions != other.extensions:
            return False
        return dict.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.extensions)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def _refuse(self, *args: Any, **keys: Any) -> Any:
        raise TypeError("a model is immutable: build a new one from model.to_yaml() or dict(...) of this mapping")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (value,) = source.__args__
        entries = core_schema.dict_schema(core_schema.str_schema(strict=True), handler.generate_schema(value))
        return core_schema.no_info_wrap_validator_function(cls._read, entries)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "patternProperties": {"^x-": True}}

    @classmethod
    def _read(cls, value: Any, inner: Any) -> Named[V]:
        if isinstance(value, Named):
            extensions: Mapping[str, Any] = value.extensions
        elif isinstance(value, dict):
            extensions = {k: freeze(v) for k, v in value.items() if isinstance(k, str) and k.startswith("x-")}
            if extensions:
                value = {k: v for k, v in value.items() if k not in extensions}
        else:
            extensions = {}
        return cls(_entries(value, inner), extensions)


class Table(Named[V]):
    """Rows of text and points. Its keys are data, so one that starts ``x-`` is a row like any other."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema)

    @classmethod
    def _read(cls, value: Any, inner: Any) -> Named[V]:
        return cls(_entries(value, inner))


_AT_ONCE = 20_000


def _entries(value: Any, inner: Callable[[Any], Any]) -> Any:
    """Read the entries of a mapping; of a large one only until there are more faults than are told.

    Pydantic lists every fault of what it is given, at a kilobyte each, so it is given a part at a time.
    """
    if not isinstance(value, dict) or sum(map(_weight, value.values())) <= _AT_ONCE:
        return inner(value)
    read: dict[Any, Any] = {}
    seen: dict[Any, Any] = {}
    part: dict[Any, Any] = {}
    faults = weight = 0
    last = len(value) - 1
    for n, (key, entry) in enumerate(value.items()):
        part[key] = entry
        weight += _weight(entry)
        if weight < _AT_ONCE and n < last:
            continue
        seen.update(part)
        try:
            read.update(inner(part))
        except ValidationError as error:
            faults += error.error_count()
            if faults >= MOST_FAULTS:
                return inner(seen)  # raises them all
        part, weight = {}, 0
    return inner(value) if faults else read


def _weight(entry: Any) -> int:
    return len(entry) + 1 if isinstance(entry, (dict, list, tuple)) else 1


def freeze(value: Any) -> Any:
    """Make an opaque value immutable: lists become tuples, mappings `Table`, numbers decimals.

    Raises:
        PydanticCustomError: There is something in it that no document can say.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    if isinstance(value, Mapping):
        return Table((str(key), freeze(item)) for key, item in value.items())
    if isinstance(value, (int, float, Decimal)):
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if exact.is_finite():
            return exact
    raise PydanticCustomError("opaque", "a document holds text, numbers, true, false, null, lists and mappings only")


Opaque = Annotated[Any, BeforeValidator(freeze)]
"""Kept as it is and looked at by somebody else."""
