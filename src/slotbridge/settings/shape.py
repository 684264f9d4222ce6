"""What tables and keys the models know, found by looking at their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

Path = tuple[int | str, ...]
Raw = Mapping[str, Any]


def table_of(data: Raw, name: str) -> Raw:
    """A table of the raw configuration, empty if it is missing or something else."""
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


def keys_of(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all keys that hold one value. A list of tables counts as one value."""
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is None or get_origin(field.annotation) is tuple:
            yield (*above, name)
        else:
            yield from keys_of(inner, (*above, name))


def fields_at(model: type[BaseModel], path: Path) -> dict[str, Any]:
    """The names and types of the fields in the table at this place, none if there is no such table."""
    for part in path:
        if isinstance(part, str):
            inner = _model_in(model.model_fields[part].annotation) if part in model.model_fields else None
            if inner is None:
                return {}
            model = inner
    return {name: field.annotation for name, field in model.model_fields.items()}


def homes_of(model: type[BaseModel], key: str) -> list[str]:
    """The tables that have a key of this name, as they stand in the file."""
    lists = [name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple]
    return [
        *dict.fromkeys(f"[{'.'.join(path[:-1])}]" for path in keys_of(model) if len(path) > 1 and path[-1] == key),
        *(f"[[{name}]]" for name in lists if key in fields_at(model, (name,))),
    ]


def may_be_secret(model: type[BaseModel], path: Path) -> bool:
    """Whether a value at this place may hold a secret: a secret key, a whole table, or an unknown key."""
    annotation = fields_at(model, path[:-1]).get(str(path[-1]))
    return annotation is None or SecretStr in _leaves(annotation) or _model_in(annotation) is not None


def _leaves(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType, Annotated, tuple):
        return [leaf for part in get_args(annotation) for leaf in _leaves(part)]
    return [annotation]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    models = (leaf for leaf in _leaves(annotation) if isinstance(leaf, type) and issubclass(leaf, BaseModel))
    return next(models, None)
