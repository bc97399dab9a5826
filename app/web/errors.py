"""Domain errors to HTTP: one table. 422 is only for the shape of a payload."""

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.accounts import AccountError
from app.db import DatabaseGone
from app.outbox import errors as outbox
from app.outbox.links import LinkOver
from app.shopfront import UnknownShop
from conversations import errors as domain

log = structlog.get_logger(__name__)

STATUS: dict[type[Exception], tuple[int, str]] = {
    domain.NotFound: (404, "not_found"),
    UnknownShop: (404, "unknown_shop"),
    domain.BadMessage: (400, "bad_message"),
    domain.IllegalTransition: (409, "illegal_transition"),
    domain.MayNotSpeak: (409, "may_not_speak"),
    domain.AlreadyTaken: (409, "already_taken"),
    domain.NotAssignee: (403, "not_assignee"),
    domain.NotOffered: (409, "not_offered"),
    domain.NotAtDesk: (409, "not_at_desk"),
    domain.MessageIdReused: (409, "message_id_reused"),
    domain.Stale: (409, "stale"),
    AccountError: (400, "account_error"),
    outbox.NoSuchEndpoint: (404, "no_such_endpoint"),
    outbox.NoSuchDelivery: (404, "no_such_delivery"),
    outbox.BadEndpoint: (400, "bad_endpoint"),
    outbox.NotReplayable: (409, "not_replayable"),
    LinkOver: (401, "link_over"),
}


class HttpProblem(Exception):
    """A problem of the web itself: not logged in, wrong role, too fast."""

    def __init__(self, status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


def _problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: object
) -> JSONResponse:
    return JSONResponse({"code": code, "detail": detail, **more}, status, headers)


async def _on_domain(_: Request, error: Exception) -> JSONResponse:
    status, code = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    name = getattr(error, "assignee_name", None)
    return _problem(status, code, str(error), **({"assignee_name": name} if name else {}))


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HttpProblem)
    return _problem(error.status, error.code, error.detail, error.headers)


async def _on_shape(_: Request, error: Exception) -> JSONResponse:
    """Which field is wrong, without repeating what was sent."""
    assert isinstance(error, RequestValidationError)
    fields = [{"loc": e["loc"], "msg": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{'.'.join(map(str, f['loc'][1:])) or 'body'}: {f['msg']}" for f in fields)
    return _problem(422, "bad_shape", detail, errors=jsonable_encoder(fields))


async def _on_database(_: Request, error: Exception) -> JSONResponse:
    log.error("database_unavailable", error=type(error).__name__)
    detail = "The message store does not answer. Nothing was lost; try again in a moment."
    return _problem(503, "database_unavailable", detail, {"Retry-After": "2"})


async def _on_starlette(_: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: an unknown path, a wrong method, a body that is not UTF-8 JSON."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "wrong_method", 400: "bad_request"}.get(error.status_code, "refused")
    headers = dict(error.headers) if error.headers else None
    return _problem(error.status_code, code, str(error.detail), headers)


async def _on_data(_: Request, error: Exception) -> JSONResponse:
    """A value no column can hold, such as NUL in an id on PostgreSQL."""
    return _problem(400, "bad_value", "Something in this request cannot be stored. Check ids and filters.")


async def _on_fault(_: Request, error: Exception) -> JSONResponse:
    log.error("fault", error=type(error).__name__)
    return _problem(500, "fault", "Something went wrong here. Nothing was lost; try again in a moment.")


def install(app: FastAPI) -> None:
    """Register the table."""
    for cls in STATUS:
        app.add_exception_handler(cls, _on_domain)
    app.add_exception_handler(HttpProblem, _on_http)
    app.add_exception_handler(RequestValidationError, _on_shape)
    app.add_exception_handler(HTTPException, _on_starlette)
    app.add_exception_handler(DataError, _on_data)
    app.add_exception_handler(DBAPIError, _on_database)
    app.add_exception_handler(DatabaseGone, _on_database)
    app.add_exception_handler(PoolTimeout, _on_database)
    app.add_exception_handler(Exception, _on_fault)
