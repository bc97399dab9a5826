"""For machines that watch: alive, ready, metrics."""

import sqlalchemy.exc
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from app.web.deps import HouseDep

router = APIRouter(tags=["health"])


class Ready(BaseModel):
    """Whether the service can do its whole job, and what is missing."""

    ready: bool
    database: str
    problems: list[str]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(house: HouseDep, response: Response) -> Ready:
    """200 when everything works; 503 without a database. A missing model is named, and people still answer."""
    database = "ok"
    try:
        await house.db.ping()
    except (sqlalchemy.exc.SQLAlchemyError, OSError) as error:
        database = f"does not answer ({type(error).__name__})"
        response.status_code = 503
    return Ready(ready=database == "ok" and not house.problems, database=database, problems=list(house.problems))


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Counters in Prometheus' format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
