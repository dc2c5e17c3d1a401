"""A schedule by what it means."""

import pytest

from kubelab.schedule import every_minute, values


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/1 * * * *",
        "0-59 * * * *",
        "0-59/1 * * * *",
        "0/1 * * * *",
        "  *  *   * * * ",
        "* * ? * ?",
        "* 0-23 1-31 1-12 0-6",
        "* * * JAN-DEC sun-sat",
        "*/2,1-59/2 * * * *",
        "* * 1-31 * MON",
        "* * 1 * 0-6",
        "@every 1m",
        "@every 60s",
        "@every 1m0s",
        "@every 0.5m30s",
        "*-5 * * * *",
        "0-29,30-59, * * * *",
        ",*/01 * * * *",
        "@every +1m",
    ],
)
def test_these_mean_every_minute(text: str) -> None:
    assert every_minute(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*/2 * * * *",
        "1 * * * *",
        "0-58 * * * *",
        "* 0-22 * * *",
        "* * 1-30 * *",
        "* * * 1-11 *",
        "* * * * MON-FRI",
        "* * 1 * *",
        "* * 1 * MON",
        "* * */01 * 1",
        ", * * * *",
        "@every -1m",
        "* * */2 * 0-5",
        "@hourly",
        "@daily",
        "@every 2m",
        "@every 30s",
        "@every 1h",
        "@minutely",
        "* * * * * *",
        "60 * * * *",
        "x * * * *",
        "*/0 * * * *",
        "5-3 * * * *",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not every_minute(text)


def test_a_field_stands_for_numbers() -> None:
    assert values("0,30", 0, 59) == {0, 30}
    assert values("5/20", 0, 59) == {5, 25, 45}
    assert values("feb-apr", 1, 12) == {2, 3, 4}
