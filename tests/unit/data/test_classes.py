"""Modules of labelling functions take the names of classes from a configuration."""

import pytest

from core.errors import InputError
from data.classes import class_names
from pipeline.config.load import load


@pytest.mark.parametrize("name", ["census", "sms_spam"])
def test_names_are_those_of_the_configuration(name: str) -> None:
    assert class_names(name) == load(name).columns.classes


def test_a_file_that_is_not_there_or_lists_none_is_named() -> None:
    with pytest.raises(InputError, match=r"class_names\('mars'\): there is no .*configs/mars.yaml"):
        class_names("mars")
    with pytest.raises(InputError, match=r"retrain\.yaml lists no columns\.classes"):
        class_names("retrain")
