"""A public function is an `Entry` of the native module; to Python's tools and to its callers it is a function."""

import copy
import functools
import gc
import inspect
import pickle
import pydoc
import sys
import traceback
import typing
import weakref

import pytest
from environments import ENVIRONMENTS, LINUX, environment

import fanin
from fanin import schemes
from fanin._core import Entry
from fanin.entry import entry


@entry
def third(of: float, *, times: int = 1) -> float:
    """Return a third."""
    return of / 3 * times


class Holder:
    @entry
    def me(self, more=()):
        """Return the object itself."""
        return self, more


def test_python_s_tools_see_a_function():
    assert inspect.isroutine(third)
    assert callable(third)
    assert str(inspect.signature(third)) == "(of: float, *, times: int = 1) -> float"
    assert third.__name__ == third.__qualname__ == "third"
    assert third.__module__ == __name__
    assert inspect.getsource(third).startswith("@entry\ndef third")
    assert typing.get_type_hints(third) == {"of": float, "times": int, "return": float}
    assert "Return a third." in pydoc.plain(pydoc.render_doc(third))
    assert "third(of: float, *, times: int = 1) -> float" in pydoc.plain(pydoc.render_doc(third))
    assert repr(third).startswith("<function third at 0x")
    assert weakref.ref(third)() is third


def test_it_is_called_as_a_function_is():
    assert third(3.0) == third(of=3.0) == third(*[3.0], **{"times": 1}) == 1.0
    assert third.__wrapped__(6.0, times=2) == 4.0


def test_it_is_a_method_of_objects_and_a_function_of_their_class():
    holder = Holder()
    assert holder.me() == Holder.me(holder) == (holder, ())
    assert holder.me(more=3) == (holder, 3)
    assert inspect.ismethod(holder.me)
    assert str(inspect.signature(holder.me)) == "(more=())"
    assert str(inspect.signature(Holder.me)) == "(self, more=())"


@pytest.mark.parametrize("public", [fanin.gain, fanin.normal, fanin.he_normal, schemes.he_normal, third])
def test_it_is_pickled_and_copied_by_its_name(public):
    assert pickle.loads(pickle.dumps(public)) is public
    assert copy.copy(public) is copy.deepcopy(public) is public
    bound = schemes.normal(std=0.1).describe
    assert pickle.loads(pickle.dumps(bound))() == bound()


def test_a_wrong_call_is_explained_and_another_error_is_left_alone():
    with pytest.raises(TypeError, match=r"third\(\) has no parameter 'on'; it has of, times"):
        third(on=1)
    with pytest.raises(TypeError, match=r"third\(\) needs of"):
        third()
    with pytest.raises(TypeError, match="unsupported operand") as caught:
        third("a")
    assert traceback.extract_tb(caught.tb)[-1].name == "third"
    with pytest.raises(TypeError, match=r"me\(\) has no parameter 'less'; it has more"):
        Holder().me(less=1)


@LINUX
@pytest.mark.parametrize("given", ENVIRONMENTS)
@pytest.mark.parametrize("error", [None, ValueError, TypeError, KeyboardInterrupt, SystemExit])
def test_it_rounds_to_nearest_and_leaves_the_caller_s_environment_whatever_happens(given, error):
    seen = []

    @entry
    def computed(one, three, tiny):
        seen.append((one / three, -one / three, tiny * one))
        if error:
            raise error

    expected = 1.0 / 3.0, -1.0 / 3.0, 1e-310
    with environment(*given):  # which asserts that the rounding mode is left
        if error:
            with pytest.raises(error):
                computed(1.0, 3.0, 1e-310)
        else:
            computed(1.0, 3.0, 1e-310)
    assert seen == [expected]


def test_docstring_and_signature_may_be_made_when_they_are_asked_for():
    made = []

    def write(what, value):
        made.append(what)
        return value

    def plain(x):
        return x

    public = entry(plain)
    assert public.__doc__ is None
    with pytest.raises(AttributeError, match="__signature__"):
        public.__signature__  # noqa: B018
    public.__doc__ = lambda: write("doc", "Return x.")
    public.__signature__ = lambda: write("signature", inspect.Signature())
    assert made == []
    assert public.__doc__ == inspect.getdoc(public) == "Return x."
    assert inspect.signature(public) == inspect.signature(public) == inspect.Signature()
    assert made == ["doc", "signature"]
    public.__doc__ = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        public.__doc__  # noqa: B018


def test_a_class_makes_its_docstring_and_signature_too_and_its_objects_are_called_by_their_own():
    made = schemes.he_normal(layout="OI")
    assert "Parameters\n" in schemes.VarianceScaling.__doc__
    assert made.__doc__ == schemes.VarianceScaling.__doc__
    assert "layout" in inspect.signature(schemes.VarianceScaling).parameters
    assert list(inspect.signature(made).parameters)[:3] == ["shape", "seed", "name"]


def test_it_is_given_back():
    circle = []
    circle.append(entry(functools.partial(len, circle), "circle"))
    gone = weakref.ref(circle[0])
    function, arguments = third.__wrapped__, (object(), {"a": 1})
    before = sys.getrefcount(function), sys.getrefcount(arguments[0])
    del circle
    gc.collect()
    assert gone() is None
    for _ in range(100):
        with pytest.raises(TypeError):
            third(arguments[0], **arguments[1])
    gc.collect()
    assert (sys.getrefcount(function), sys.getrefcount(arguments[0])) == before


def test_it_is_made_of_a_function_and_an_explanation():
    with pytest.raises(TypeError, match="Entry"):
        Entry()
    with pytest.raises(TypeError, match="immutable"):
        Entry.__call__ = None
