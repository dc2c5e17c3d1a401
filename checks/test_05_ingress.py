"""Lab 05: what must hold of the ways in."""

from kubelab.checking import LabView, task


@task("05.1")
def test_shop_sends_each_path_to_its_service(lab: LabView) -> None:
    """At host `shop`, `/api` and all below it is answered by `api`, all else by `web`; another host
    gets 404."""
    names = lab.names
    shop = lab.ingress(names.shop, names.shop)
    below, beside = shop.named(names.below[0])
    assert shop.hand_made == 0
    near = shop.beneath(names.below[0])
    for path in (*names.below, near, shop.beneath(near), *below):
        assert shop.answered(path, names.api) == names.api
        assert shop.through_any(path, names.api)
    alike = shop.beginning_alike(names.below[0])
    near = shop.beneath("/")
    for path in (*names.beside, alike, near, shop.beneath(near), *beside):
        assert shop.answered(path, names.web) == names.web
        assert shop.through_any(path, names.web)
    assert shop.elsewhere == 404


@task("05.2")
def test_shop_is_served_with_its_certificate(lab: LabView) -> None:
    """HTTPS at host `shop` is answered with the certificate in Secret `shop-tls`: for this host,
    and in date."""
    names = lab.names
    shop = lab.ingress(names.shop, names.shop)
    assert shop.secured
    certificate = lab.certificate(names.secret, names.shop)
    assert certificate.shown
    assert certificate.names_host
    assert certificate.in_date
    assert shop.answered("/", names.web, scheme="https") == names.web


@task("05.3")
def test_gw_splits_requests_by_weight(lab: LabView) -> None:
    """Host `gw` goes through HTTPRoute `shop` alone: of four requests three to `web`, one to
    `web-next`."""
    names = lab.names
    route, several = lab.route(names.shop, names.gw), [names.web, names.next]
    assert route.rivals == 0
    assert route.on_gateway
    assert route.accepted
    assert route.resolved
    assert route.for_host
    assert route.weights(several) == names.weights
    assert route.alike(several)
    requests = route.requests(names.requests)
    assert requests.lost == 0
    assert requests.strangers(several) == 0
    assert requests.within(several, names.weights)
    assert route.alone


@task("05.4")
def test_menu_is_reached_at_its_host(lab: LabView) -> None:
    """A request to host `menu` finds its way through Ingress `menu` to the Pods of `menu`."""
    names = lab.names
    menu = lab.ingress(names.menu, names.menu)
    assert menu.for_host
    assert menu.served
    assert menu.hand_made == 0
    near = menu.beneath("/")
    below, _ = menu.named("/")
    for path in (*names.pages, near, menu.beneath(near), *below):
        assert menu.answered(path, names.menu) == names.menu
        assert menu.through(path, names.menu)
