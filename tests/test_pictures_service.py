"""The picture of a Service over time."""

import xml.etree.ElementTree as ElementTree

from kubelab.history import Request, Requests
from kubelab.pictures import service as picture

SPACE = "{http://www.w3.org/2000/svg}"


LINES = (
    Request(100, 100, 4, 0.1, 200, "1.0", "a", None, None),
    Request(101, 101, 2, 0.1, None, None, None, "refused", "x"),
)
STATES = [(100.0, ("a", "b"), ()), (105.0, ("a",), ("b",)), (108.0, ("a",), ())]
SEEN = picture.service("web", STATES, Requests("web", 90, LINES), 100, 110)


def test_stretches_follow_the_addresses_and_requests_are_counted_by_pod() -> None:
    assert picture.told(SEEN).splitlines() == [
        "service/web  1 ready, 0 not ready",
        "  a: ready from 0 s to 10 s",
        "  b: ready from 0 s to 5 s",
        "  b: not ready from 5 s to 8 s",
        "  requests answered: 4 by a; failed: 2",
    ]
    root = ElementTree.fromstring(picture.svg(SEEN))
    assert root.findtext(f"{SPACE}desc") == picture.told(SEEN)
    words = [one.text for one in root.iter(f"{SPACE}text")]
    assert "requests answered: 4, failed: 2" in words


def test_a_service_without_an_address_says_so() -> None:
    seen = picture.service("web", [(100.0, (), ())], None, 100, 110)
    assert "no address is behind it" in picture.told(seen)
    assert "none are recorded here" in picture.told(seen)
    ElementTree.fromstring(picture.svg(seen))


def test_addresses_are_named_by_their_pods() -> None:
    slices = [
        {
            "endpoints": [
                {"addresses": ["10.1.1.1"], "targetRef": {"kind": "Pod", "name": "a"}},
                {"addresses": ["10.1.1.2"], "conditions": {"ready": False}},
            ]
        }
    ]
    assert picture.behind(slices) == (("a",), ("10.1.1.2",))
    assert picture.behind([{}]) == ((), ())
