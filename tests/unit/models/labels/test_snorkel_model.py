"""How PyTorch is imported; the fit itself: test_label_model.py."""

import inspect
import sys
from fractions import Fraction

from models.labels.snorkel_model import _modules_by_name


def test_modules_are_found_as_inspect_finds_them() -> None:
    frame = sys._getframe()
    expected = [inspect.getmodule(frame), inspect.getmodule(Fraction), inspect.getmodule(3)]
    assert expected[0] is sys.modules[__name__]
    search = inspect.getmodule
    with _modules_by_name():
        assert inspect.getmodule is not search
        found = [inspect.getmodule(frame), inspect.getmodule(Fraction), inspect.getmodule(3)]
        assert inspect.getframeinfo(frame).filename == __file__
    assert found == expected
    assert inspect.getmodule is search


def test_the_module_of_a_frame_is_not_searched_for_by_path() -> None:
    search = inspect.getmodule
    with _modules_by_name():
        before = dict(inspect.modulesbyfile)
        inspect.modulesbyfile.clear()
        inspect.getmodule(sys._getframe())
        assert not inspect.modulesbyfile
        inspect.modulesbyfile.update(before)
    assert inspect.getmodule is search
