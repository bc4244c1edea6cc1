"""A plugin for mypy: plain types in `Attributes` and `EventType` classes become fields.

With it ``job_title: str`` is checked as ``job_title: lc.Text``: ``Lead.job_title.contains("VP")`` is right and
``Lead.employees.contains("VP")`` is an error. Without it, and for other type checkers, write ``lc.Text``,
``lc.Number``, ``lc.Boolean``, ``lc.Instant``. In ``pyproject.toml``::

    [tool.mypy]
    plugins = ["leadcore.mypy"]
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import TypeInfo
from mypy.plugin import AttributeContext, Plugin
from mypy.types import Instance, NoneType, Type, UnionType, get_proper_type

_ROOM = "leadcore.model.fields"
_OWNERS = (f"{_ROOM}.Attributes", f"{_ROOM}.EventType")
_FIELDS = {
    "builtins.str": "Text",
    "builtins.int": "Number",
    "builtins.float": "Number",
    "decimal.Decimal": "Number",
    "builtins.bool": "Boolean",
    "datetime.datetime": "Instant",
    "datetime.date": "Instant",
}
"""As `leadcore.model.fields` reads annotations at run time."""


class FieldsPlugin(Plugin):
    """Looks at attributes of classes that declare fields."""

    def get_class_attribute_hook(self, fullname: str) -> Callable[[AttributeContext], Type] | None:
        """The hook for ``Lead.job_title``."""
        owner = self.lookup_fully_qualified(fullname.rpartition(".")[0])
        if owner is None or not isinstance(owner.node, TypeInfo) or fullname.rpartition(".")[2].startswith("__"):
            return None
        return self._field if any(owner.node.has_base(base) for base in _OWNERS) else None

    def _field(self, context: AttributeContext) -> Type:
        declared = get_proper_type(context.default_attr_type)
        if isinstance(declared, UnionType):  # `| None`: the column may be missing
            kinds = [item for item in map(get_proper_type, declared.items) if not isinstance(item, NoneType)]
            declared = kinds[0] if len(kinds) == 1 else declared
        if not isinstance(declared, Instance):
            return context.default_attr_type
        field = self.lookup_fully_qualified(f"{_ROOM}.{_FIELDS.get(declared.type.fullname, '')}")
        if field is not None and isinstance(field.node, TypeInfo):
            return Instance(field.node, [])
        return declared if declared.type.fullname.startswith(_ROOM) else context.default_attr_type


def plugin(version: str) -> type[Plugin]:
    """What mypy asks for."""
    return FieldsPlugin
