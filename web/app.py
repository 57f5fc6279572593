"""The web application: every route, put together from what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from hashlib import sha256
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from domain.chat import Receive
from domain.seal import Seal
from storage.database import Database
from web import health as health_pages
from web import links
from web import metrics as metric_pages
from web.chat import ChatPages, Hub
from web.demo import DemoControl, DemoPages
from web.guard import KEEP, Handler, own_pages_only, plain_errors, put_headers
from web.health import Account, Health
from web.metrics import Metrics
from web.proxies import Networks
from web.streams import Streams

MOST_BYTES = 1024 * 1024
STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def build(
    *,
    database: Database,
    seal: Seal,
    receive: Receive,
    hub: Hub,
    zone: tzinfo,
    organisation: str,
    new_id: Callable[[], str],
    health: Health,
    metrics: Metrics,
    telegram: Mapping[str, Account] | None = None,
    demo: DemoControl | None = None,
    trusted: Networks = (),
) -> web.Application:
    """All pages and webhooks. `new_id` gives at least 128 random bits in URL-safe letters; `demo` adds `/demo`.

    Proxies in `trusted` are believed when they say for whom they ask.
    """
    app = web.Application(middlewares=[plain_errors, own_pages_only], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(put_headers)
    _templates(app)
    streams = Streams()
    app.on_shutdown.append(streams.stop)
    app.add_routes([web.get("/static/{version}/{name}", static)])
    app.add_routes(health_pages.routes(health))
    app.add_routes(metric_pages.routes(metrics, health))
    app.add_routes(webhooks(telegram or {}, receive))
    if demo is not None:
        app.add_routes(DemoPages(demo, hub, _chat_of(seal, hub.name), zone, streams).routes())
    app.add_routes(ChatPages(database, seal, receive, hub, zone, organisation, new_id, streams, trusted).routes())
    app.add_routes([web.get("/", _home("/demo" if demo else "/chat/join"))])
    return app


def build_health(health: Health, metrics: Metrics) -> web.Application:
    """What a process without pages answers: how it is."""
    app = web.Application(middlewares=[plain_errors])
    app.add_routes(health_pages.routes(health))
    app.add_routes(metric_pages.routes(metrics, health))
    return app


async def serve(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Start answering; `await runner.cleanup()` stops. No access log: addresses hold personal links and codes."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner


def webhooks(telegram: Mapping[str, Account], receive: Receive) -> list[web.RouteDef]:
    """`/telegram/<account>`; an unknown account is a page that does not exist."""

    async def take(request: web.Request) -> web.Response:
        account = telegram.get(request.match_info["account"])
        if account is None:
            raise web.HTTPNotFound
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        status, body = await account.take(await request.read(), secret, receive)
        headers = {"Retry-After": "1"} if status == 503 else {"Content-Type": "application/json"} if body else {}
        return web.Response(status=status, body=body, headers=headers)

    return [web.post("/telegram/{account}", take)]


async def static(request: web.Request) -> web.Response:
    """Our own style and script, from the package."""
    name = request.match_info["name"]
    if name not in ASSETS or request.match_info["version"] != VERSION:
        raise web.HTTPNotFound
    response = web.Response(body=ASSETS[name], content_type=TYPES[Path(name).suffix], charset="utf-8")
    response.headers["Cache-Control"] = KEEP
    response.enable_compression()
    return response


def _templates(app: web.Application) -> None:
    aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).globals["asset"] = lambda name: f"/static/{VERSION}/{name}"


def _chat_of(seal: Seal, channel: str) -> Callable[[str], str]:
    def chat_of(link: str) -> str:
        visit = links.visit(seal, channel, link)
        if visit is None:
            raise ValueError("a phone of the demonstration has a link that was not made here")
        return visit.chat.chat_id

    return chat_of


def _home(where: str) -> Handler:
    async def home(request: web.Request) -> web.Response:
        raise web.HTTPSeeOther(where)

    return home


ASSETS = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir()) if path.suffix in TYPES}
VERSION = sha256(b"".join(ASSETS.values())).hexdigest()[:12]
