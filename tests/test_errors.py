"""The errors: each has an exit code, and the tree stands in the module's docstring."""

import inspect

import pytest

from kubelab import errors
from kubelab.errors import EnvironmentFault, KubelabError

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_stands_in_the_tree_and_says_one_sentence(error: type[KubelabError]) -> None:
    assert error.__name__ in str(errors.__doc__)
    assert issubclass(error, KubelabError)
    made = error("It is broken.", look="./lab doctor")
    assert (str(made), made.message, made.look) == ("It is broken.",) * 2 + ("./lab doctor",)


def test_the_exit_codes_are_those_of_the_documentation() -> None:
    codes = {error.__name__: error.exit_code for error in CLASSES}
    assert codes["NotDone"] == 1
    assert codes["UsageError"] == 2
    assert codes["StillConverging"] == 3
    for error in EnvironmentFault.__subclasses__():
        assert error.exit_code == 4
    assert errors.INTERRUPTED == 130
