"""Settings for a bundle: what the software knows of. What it does not know may be anything, also a password."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from appliance.settings import Settings
from appliance.support.redaction import LEFT_OUT
from hal.errors import HalError
from hal.registry import DRIVERS, Kind, driver_class

_TABLES: Mapping[str, Kind] = {"second_camera": "camera", **{kind: kind for kind in DRIVERS}}


def known_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keys all of them, values of those that this software has; a plug-in's own options are not among them."""
    return {key: _known(key, value) for key, value in values.items()}


def _known(key: str, value: Any) -> Any:
    field = Settings.model_fields.get(key)
    if field is None:
        return LEFT_OUT
    model = _model(field.annotation)
    names = set(model.model_fields) if model is not None else set()
    if key in _TABLES:
        names |= _options(_TABLES[key], value)
    if not names:
        return value if isinstance(value, str) else LEFT_OUT
    if not isinstance(value, Mapping):
        return LEFT_OUT
    return {name: one if name in names else LEFT_OUT for name, one in value.items()}


def _model(annotation: Any) -> type[BaseModel] | None:
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _options(kind: Kind, table: Any) -> set[str]:
    name = table.get("driver") if isinstance(table, Mapping) else None
    if not isinstance(name, str) or name not in DRIVERS[kind]:
        return {"driver"}
    try:
        return {"driver", *driver_class(kind, name).Options.model_fields}
    except (HalError, ImportError):
        return {"driver"}
