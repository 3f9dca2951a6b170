"""The classes of a configuration, for modules of labelling functions that vote by name."""

from ruamel.yaml import YAML

from core.errors import InputError
from core.files import REPOSITORY


def class_names(config: str) -> tuple[str, ...]:
    """The names under `columns.classes` of `configs/<config>.yaml` itself, in their order.

    Raises:
      InputError: There is no such file, or it lists no classes.
    """
    path = REPOSITORY / "configs" / f"{config}.yaml"
    if not path.is_file():
        raise InputError(f"class_names('{config}'): there is no {path}")
    values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")) or {}
    classes = (values.get("columns") or {}).get("classes")
    if not isinstance(classes, list):
        raise InputError(f"class_names('{config}'): {path} lists no columns.classes")
    return tuple(map(str, classes))
