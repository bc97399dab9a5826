"""The pages people see. Each is a small template and plain script modules; all data comes from the API."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from app import accounts
from app.web.deps import HouseDep

PAGES = Path(__file__).parent.parent / "pages"
STATIC = PAGES / "static"
router = APIRouter(include_in_schema=False)


class Fresh(StaticFiles):
    """Files that browsers ask about again each time, so that an update never mixes old and new modules."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, revalidated by its ETag."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


templates = Jinja2Templates(PAGES / "templates")

OWN_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "


def _page(request: Request, name: str, frame_ancestors: str = "'none'", **context: object) -> HTMLResponse:
    response = templates.TemplateResponse(request, name, dict(context))
    response.headers["Content-Security-Policy"] = f"{OWN_POLICY}frame-ancestors {frame_ancestors}"
    response.headers["Cache-Control"] = "no-cache"
    return response


@router.get("/")
async def index() -> Response:
    """The demo shop is the front door."""
    return RedirectResponse("/shop/")


@router.get("/shop")
@router.get("/console")
@router.get("/review")
@router.get("/deliveries")
async def with_slash(request: Request) -> Response:
    """People leave the last slash out."""
    return RedirectResponse(f"{request.url.path}/")


@router.get("/widget.js")
async def widget() -> Response:
    """The loader a shop's page embeds."""
    return FileResponse(STATIC / "widget.js", media_type="text/javascript", headers={"Cache-Control": "max-age=300"})


@router.get("/chat/")
async def chat(request: Request, house: HouseDep, shop: str) -> Response:
    """The chat itself, shown in the widget's frame on the shop's page."""
    front = house.shops.get(shop)
    return _page(
        request, "chat.html", house.settings.frame_ancestors, shop=front.shop, mail=house.outbox.reach.mail is not None
    )


@router.get("/shop/")
@router.get("/shop/{page}")
async def shop(request: Request, house: HouseDep, page: str = "") -> Response:
    """A demo shop that embeds the widget with one line."""
    return _page(request, "shop.html", shop=house.shops.first.shop, page=page)


@router.get("/login")
async def login(request: Request) -> Response:
    """Log in."""
    return _page(request, "login.html")


@router.get("/invitation/{token}")
async def invitation(request: Request, house: HouseDep, token: str) -> Response:
    """Accept an invitation."""
    async with house.db.read() as conn:
        role = await accounts.invited_role(conn, token, house.clock())
    return _page(request, "invitation.html", token=token, role=role.value if role else None)


@router.get("/console/")
async def console(request: Request) -> Response:
    """The agents' console."""
    return _page(request, "console.html")


@router.get("/review/")
async def review(request: Request) -> Response:
    """The owner's review."""
    return _page(request, "review.html")


@router.get("/deliveries/")
async def deliveries(request: Request) -> Response:
    """The owner's page of what leaves the house."""
    return _page(request, "deliveries.html")
