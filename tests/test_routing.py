"""Which rule takes a request, and how far a share may be from its weight."""

from __future__ import annotations

from typing import Any

import pytest

from kubelab import chance, routing

HOST = "shop.lab-05.localhost"


def path(value: str, kind: str, service: str, port: Any = 80) -> dict[str, Any]:
    number = {"number": port} if isinstance(port, int) else {"name": port}
    return {
        "path": value,
        "pathType": kind,
        "backend": {"service": {"name": service, "port": number}},
    }


def ingress(
    *paths: dict[str, Any], host: str | None = HOST, name: str = "shop", **spec: Any
) -> dict[str, Any]:
    rule = {"http": {"paths": list(paths)}} | ({"host": host} if host else {})
    return {
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [rule]} | spec,
    }


GOOD = ingress(path("/", "Prefix", "web"), path("/api", "Prefix", "api"))


@pytest.mark.parametrize(
    ("kind", "asked", "service"),
    [
        ("Prefix", "/api", "api"),
        ("Prefix", "/api/", "api"),
        ("Prefix", "/api/v1", "api"),
        ("Prefix", "/apix", "web"),
        ("Exact", "/api", "api"),
        ("Exact", "/api/v1", "web"),
        ("ImplementationSpecific", "/apix", "api"),
        ("Prefix", "/", "web"),
    ],
)
def test_the_type_of_a_path_decides_what_it_takes(kind: str, asked: str, service: str) -> None:
    body = ingress(path("/", "Prefix", "web"), path("/api", kind, "api"))
    found = routing.taking(routing.rules(body), HOST, asked)
    assert found is not None
    assert found.service == service


def test_a_prefix_with_a_slash_at_its_end_takes_the_path_without_it() -> None:
    body = ingress(path("/api/", "Prefix", "api"))
    assert routing.taking(routing.rules(body), HOST, "/api") is not None
    assert routing.taking(routing.rules(body), HOST, "/apix") is None


def test_exact_comes_before_a_prefix_and_a_name_before_a_wildcard() -> None:
    several = [
        *routing.rules(ingress(path("/api", "Prefix", "prefix"), path("/api", "Exact", "exact"))),
        *routing.rules(ingress(path("/api/v1", "Prefix", "wild"), host="*.lab-05.localhost")),
        *routing.rules(ingress(path("/", "Prefix", "all"), host=None)),
    ]
    taken = [routing.taking(several, HOST, one) for one in ("/api", "/api/v1", "/menu")]
    assert [one and one.service for one in taken] == ["exact", "prefix", "all"]


def test_a_path_without_a_type_may_be_an_expression_to_contour() -> None:
    api = ingress(path("/api(/.*)?", "ImplementationSpecific", "api"))
    taken = [
        routing.taking(routing.rules(api), HOST, one) is not None
        for one in ("/api", "/api/v1", "/apix", "/")
    ]
    assert taken == [True, True, False, False]
    assert not routing.matches("(", "/")


def test_a_default_backend_is_a_rule_for_every_host() -> None:
    body = {"spec": {"defaultBackend": {"service": {"name": "web", "port": {"name": "http"}}}}}
    (found,) = routing.rules(body)
    assert (found.host, found.path, found.words) == ("", "/", "web:http")
    assert not routing.carries(body, HOST)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (HOST, True),
        (HOST.upper(), True),
        ("*.lab-05.localhost", True),
        ("*.localhost", False),
        ("shop.lab-05.local", False),
    ],
)
def test_a_wildcard_covers_one_label(pattern: str, fits: bool) -> None:
    assert routing.covers(pattern, HOST) is fits


OLD, OWN = "kubernetes.io/ingress.class", "projectcontour.io/ingress.class"


@pytest.mark.parametrize(
    ("body", "served"),
    [
        (GOOD, True),
        (ingress(ingressClassName="contour"), True),
        (ingress(ingressClassName="nginx"), False),
        ({"metadata": {"annotations": {OLD: "contour"}}}, True),
        ({"metadata": {"annotations": {OLD: "nginx"}}}, False),
        # Contour believes its own annotation, then the old one, then the field.
        (ingress(ingressClassName="nginx") | {"metadata": {"annotations": {OLD: "contour"}}}, True),
        (ingress(ingressClassName="contour") | {"metadata": {"annotations": {OLD: "x"}}}, False),
        ({"metadata": {"annotations": {OLD: "contour", OWN: "nginx"}}}, False),
        (ingress(ingressClassName="nginx") | {"metadata": {"annotations": {OLD: ""}}}, False),
    ],
)
def test_the_class_says_who_reads_an_ingress(body: dict[str, Any], served: bool) -> None:
    assert routing.is_served(body) is served


# Chance


def test_the_band_of_a_thousand_holds_three_to_one_and_not_one_to_one() -> None:
    low, high = chance.band(1000, 0.75)
    assert (low, high) == (681, 815)
    assert not low <= 500 <= high


def test_outside_of_the_band_are_no_more_than_the_rare_ones() -> None:
    low, high = chance.band(1000, 0.75)
    inside = sum(chance.chance(1000, number, 0.75) for number in range(low, high + 1))
    assert 1 - inside <= chance.RARE
    assert 1 - inside > chance.RARE / 3


@pytest.mark.parametrize(("share", "wanted"), [(0.0, (0, 0)), (1.0, (10, 10))])
def test_a_share_without_chance_has_one_outcome(share: float, wanted: tuple[int, int]) -> None:
    assert chance.band(10, share) == wanted


def test_no_requests_have_no_share() -> None:
    assert chance.band(0, 0.75) == (0, 0)


def route(
    *matches: dict[str, Any], hosts: list[str] | None, gateway: str = "kubelab-system"
) -> Any:
    rule = {"matches": list(matches), "backendRefs": [{"name": "web", "port": 80}]}
    parents = [{"namespace": gateway, "name": "course"}]
    spec = {"parentRefs": parents, "rules": [rule]} | ({"hostnames": hosts} if hosts else {})
    return {"metadata": {"name": "more"}, "spec": spec}


@pytest.mark.parametrize(
    ("hosts", "near"),
    [
        ([HOST], len(HOST)),
        (["other.lab-05.localhost", HOST], len(HOST)),
        (["*.lab-05.localhost"], len(".lab-05.localhost")),
        (["*.localhost"], len(".localhost")),
        (None, 0),
        (["other.lab-05.localhost"], None),
        (["lab-05.localhost"], None),
    ],
)
def test_a_route_names_a_host_more_or_less_closely(hosts: Any, near: int | None) -> None:
    assert routing.nearness(route(hosts=hosts), HOST, "lab-05") == near
    assert routing.nearness(route(hosts=hosts, gateway="else"), HOST, "lab-05") is None


def test_the_paths_of_a_route_are_read_as_rules() -> None:
    orders = {"path": {"type": "PathPrefix", "value": "/orders"}}
    odd = {"path": {"type": "RegularExpression", "value": "/v[0-9]"}}
    found = list(routing.routed(route(orders, odd, {}, hosts=[HOST]), HOST, "lab-05"))
    assert [(one.path, one.kind, one.words) for one in found] == [
        ("/orders", "Prefix", "web:80"),
        ("/v[0-9]", routing.EXPRESSION, "web:80"),
        ("/", "Prefix", "web:80"),
    ]
    assert not list(routing.routed(route(orders, hosts=["else"]), HOST, "lab-05"))


def test_an_expression_is_one_whatever_signs_it_holds() -> None:
    odd = {"path": {"type": "RegularExpression", "value": "/(menu|card)"}}
    (found,) = routing.routed(route(odd, hosts=None), HOST, "lab-05")
    assert routing.is_expression(found)
    assert [routing.fits(found, one) for one in ("/menu", "/card", "/(menu|card)", "/menus")] == [
        True, True, False, False
    ]  # fmt: skip
    (found,) = routing.proxied([proxy("root", HOST, [], {"regex": "/menu"})], HOST)
    assert routing.is_expression(found)
    assert not routing.fits(found, "/menus")


@pytest.mark.parametrize(
    ("value", "askable"),
    [("/api/orders", True), ("/v.*", True), ("/(menu|card)", False), (".*", False)],
)
def test_the_text_of_an_expression_is_asked_for_where_the_expression_takes_it(
    value: str, askable: bool
) -> None:
    odd = {"path": {"type": "RegularExpression", "value": value}}
    (found,) = routing.routed(route(odd, hosts=None), HOST, "lab-05")
    assert routing.is_askable(found) is askable


@pytest.mark.parametrize("kind", ["Prefix", "Exact", "ImplementationSpecific"])
@pytest.mark.parametrize(
    ("value", "askable"),
    [
        ("/", True),
        ("/menu/today.html", True),
        ("/k%C3%A4se", True),
        ("/~a:b@c!$&'()-_,;=", True),
        ("/käse", False),
        ("/two words", False),
        ("/a?b", False),
        ("/a#b", False),
        ("/菜单", False),
    ],
)
def test_only_what_stands_in_a_url_is_asked_for(kind: str, value: str, askable: bool) -> None:
    (found,) = routing.rules(ingress(path(value, kind, "menu")))
    assert routing.is_askable(found) is askable


def proxy(name: str, fqdn: str, includes: list[Any], *paths: dict[str, str]) -> Any:
    routes = [{"conditions": [one], "services": [{"name": "web", "port": 80}]} for one in paths]
    spec = {"virtualhost": {"fqdn": fqdn}, "routes": routes, "includes": includes}
    return {"metadata": {"name": name}, "spec": spec}


def test_the_paths_of_contours_own_kind_are_read_as_rules_and_those_that_it_includes() -> None:
    below = [{"name": "child", "conditions": [{"prefix": "/api"}]}]
    root = proxy("root", HOST, below, {"exact": "/x"}, {"regex": "/v.*"})
    child = proxy("child", "", [{"name": "root"}, {"name": "child"}], {"prefix": "/orders"})
    found = list(routing.proxied([root, child], HOST))
    assert [(one.ingress, one.path, one.kind) for one in found] == [
        ("root", "/x", "Exact"),
        ("root", "/v.*", routing.EXPRESSION),
        ("child", "/api/orders", "Prefix"),
    ]
    assert not list(routing.proxied([root, child], "else"))


def test_many_that_include_each_other_are_read_as_far_as_anybody_can_ask() -> None:
    names = [f"p{number}" for number in range(12)]
    apart = [{"name": one, "conditions": [{"prefix": f"/{one}"}]} for one in names]
    several = [proxy(one, HOST, apart, {"prefix": "/x"}) for one in names]
    assert len(list(routing.proxied(several, HOST))) == len(names) * routing.MOST
    alike = [{"name": one} for one in names]
    several = [proxy(one, HOST if one == "p0" else "", alike, {"prefix": "/x"}) for one in names]
    assert len(list(routing.proxied(several, HOST))) == len(names)


@pytest.mark.parametrize(("namespace", "count"), [("lab-05", 2), ("", 2), ("else", 1)])
def test_what_is_included_from_elsewhere_is_not_what_has_its_name_here(
    namespace: str, count: int
) -> None:
    root = proxy("root", HOST, [{"name": "child", "namespace": namespace}], {"prefix": "/"})
    root["metadata"]["namespace"] = "lab-05"
    child = proxy("child", "", [], {"prefix": "/orders"})
    assert len(list(routing.proxied([root, child], HOST))) == count
