"""The upload page: one plain Chinese page over HTTPS, for departments that have nothing but a browser.

Nothing is kept in the browser: the access code comes with each upload and says who it is and what they may send.
"""

import asyncio
import hashlib
import hmac
import html
import os
import ssl
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any

from aiohttp import BodyPartReader, web

from gateway.advice import advice
from gateway.config import Department, Upload
from gateway.events import BatchPlan, Mode
from gateway.inbox import SHOWN_PROBLEMS, STATES, Arrival, Taken
from gateway.problems import RowProblem
from schemas.errors import CallError, LidmError, Retry, Unreachable
from schemas.feed import FEEDS

SUFFIXES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".jsonl", ".ndjson"}
PAGE = Template((Path(__file__).parent / "upload.html").read_text(encoding="utf-8"))
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
WRONG_CODE_SECONDS = 1.0
FIELD_BYTES = 4096
FIELDS = 16
AT_ONCE = 8
MODES: dict[str, Mode] = {"replace": "replace_period", "snapshot": "full_snapshot"}
"""By what the page's choice sends."""
Take = Callable[[Arrival], Taken]


class UploadPage:
    """The pages `/` and `/upload`; `take` runs outside the loop, one upload after the other."""

    def __init__(
        self, config: Upload, take: Take, folder: Path, *, mappings: Mapping[str, Path] = MappingProxyType({})
    ) -> None:
        """`folder` holds an upload while it comes in; readable by its owner only. `mappings`: by feed."""
        self._config, self._take, self._folder, self._mappings = config, take, folder, mappings
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._one, self._coming = asyncio.Lock(), 0

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=self._config.max_megabytes * 1024 * 1024)
        app.add_routes([web.get("/", self._show), web.post("/upload", self._upload), web.get("/healthz", self._well)])
        return app

    def context(self) -> ssl.SSLContext | None:
        """TLS, where there is a certificate; without one the page listens on loopback only."""
        if self._config.certificate is None or self._config.key is None:
            return None
        if stat.S_IMODE(self._config.key.stat().st_mode) & 0o077:
            raise CallError(f"证书私钥 {self._config.key} 可被他人读取：请先 chmod 600")
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        made.load_cert_chain(self._config.certificate, self._config.key)
        return made

    async def _well(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _show(self, _: web.Request) -> web.Response:
        return _page(self._feeds(), "")

    async def _upload(self, request: web.Request) -> web.Response:
        path: Path | None = None
        if self._coming >= AT_ONCE:
            text = "同时上传的文件太多，请稍后再试"
            return self._answer(request, {"state": "refused", "reason": text}, _refused(CallError(text)), 503)
        self._coming += 1
        try:
            said, path, department = await self._receive(request)
            arrival = _arrival(said, path, department, self._mappings)
            async with self._one:
                taken = await asyncio.to_thread(self._take, arrival)
        except LidmError as error:
            status = 503 if isinstance(error, Unreachable | Retry) else 400
            return self._answer(request, {"state": "refused", "reason": error.message_zh}, _refused(error), status)
        except (ValueError, web.HTTPRequestEntityTooLarge):
            text = f"上传内容无法读取，或超过 {self._config.max_megabytes} MB"
            return self._answer(request, {"state": "refused", "reason": text}, _refused(CallError(text)), 400)
        finally:
            self._coming -= 1
            if path is not None:
                path.unlink(missing_ok=True)
        return self._answer(request, taken.as_json(), _result(taken), 200 if taken.state != "refused" else 422)

    def _answer(self, request: web.Request, said: dict[str, Any], shown: str, status: int) -> web.Response:
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response(said, status=status, headers=HEADERS)
        return _page(self._feeds(), shown, status)

    async def _receive(self, request: web.Request) -> tuple[dict[str, str], Path, Department]:
        """The form's fields and the file, written to disk as it comes; nothing of it before the code is known."""
        if request.content_type != "multipart/form-data":
            raise CallError("表单无法读取")
        said: dict[str, str] = {}
        path: Path | None = None
        department: Department | None = None
        limit, fields = self._config.max_megabytes * 1024 * 1024, 0
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    raise CallError("表单无法读取")
                fields += 1
                if fields > FIELDS:
                    raise CallError("表单内容过长")
                if part.name == "file" and path is None:
                    department = await self._department(said.get("code", ""))
                    path = await _written(part, self._folder, Path(part.filename or "").suffix.lower(), limit)
                else:
                    said[part.name or ""] = await _text(part)
        except BaseException:
            if path is not None:
                path.unlink(missing_ok=True)
            raise
        if path is None or department is None:
            raise CallError("没有选择文件")
        return said, path, department

    async def _department(self, code: str) -> Department:
        digest = hashlib.sha256(code.encode()).hexdigest()
        for each in self._config.departments:
            if hmac.compare_digest(each.code_sha256, digest):
                return each
        await asyncio.sleep(WRONG_CODE_SECONDS)
        raise CallError("口令不对：请向民政部门数据专员核对" if code else "口令须填写，并排在文件之前")

    def _feeds(self) -> list[str]:
        return sorted({feed for each in self._config.departments for feed in each.feeds})


async def _text(part: BodyPartReader) -> str:
    """A short field of the form."""
    text = b""
    while piece := await part.read_chunk(FIELD_BYTES):
        text += piece
        if len(text) > FIELD_BYTES:
            raise CallError("表单内容过长")
    return text.decode("utf-8", "replace").strip()


async def _written(part: BodyPartReader, folder: Path, suffix: str, limit: int) -> Path:
    if suffix not in SUFFIXES:
        raise CallError("只收 CSV、Excel（.xlsx）和 JSONL 文件")
    handle, name = tempfile.mkstemp(suffix=suffix, dir=folder)
    size = 0
    try:
        with os.fdopen(handle, "wb") as file:
            while piece := await part.read_chunk(1 << 18):
                size += len(piece)
                if size > limit:
                    raise CallError(f"文件超过 {limit // 1024 // 1024} MB")
                file.write(piece)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _arrival(said: dict[str, str], path: Path, department: Department, mappings: Mapping[str, Path]) -> Arrival:
    feed = said.get("feed", "")
    if feed not in department.feeds:
        raise CallError(f"{department.name} 没有报送这类数据的权限")
    plan = None
    if said.get("period"):
        areas = tuple(said.get("areas", "").replace("，", " ").replace(",", " ").split())
        plan = BatchPlan(said["period"], areas, MODES.get(said.get("mode", ""), "delta"))
    mapping = department.mappings.get(feed) or mappings.get(feed)
    return Arrival(path, feed, "upload", department.name, plan, mapping, again=said.get("again") == "yes")


def _page(feeds: list[str], result: str, status: int = 200) -> web.Response:
    options = "".join(f'<option value="{feed}">{html.escape(FEEDS[feed].title)}（{feed}）</option>' for feed in feeds)
    text = PAGE.substitute(options=options, result=result)
    return web.Response(text=text, content_type="text/html", charset="utf-8", status=status, headers=HEADERS)


def _refused(error: LidmError) -> str:
    return f'<section class="bad" role="alert"><h2>未受理</h2><p>{html.escape(error.message_zh)}</p></section>'


def _result(taken: Taken) -> str:
    return "".join(_lines(taken))


def _lines(taken: Taken) -> Iterator[str]:
    look = {"sent": "good", "repeated": "good", "partly": "part", "refused": "bad"}[taken.state]
    yield f'<section class="{look}" role="status"><h2>{STATES[taken.state]}</h2>'
    if taken.reason:
        yield f"<p>{html.escape(taken.reason)}</p>"
    receipt = taken.receipt
    if receipt is not None:
        closed = f"已关闭 {receipt.period}" if receipt.closed else "未关闭"
        rows = [("读入行数", receipt.read), ("已受理", receipt.sent), ("未发送", receipt.bad)]
        rows += [("不在关注范围、已丢弃", receipt.left_out)]
        figures = "".join(f"<tr><th>{name}</th><td>{count:,}</td></tr>" for name, count in rows)
        batch = f"<tr><th>批次</th><td>{html.escape(receipt.batchid)}（{closed}）</td></tr>" if receipt.batchid else ""
        yield f"<table>{figures}{batch}<tr><th>回执摘要</th><td><code>{receipt.digest[:16]}</code></td></tr></table>"
    if taken.problems:
        yield "<h3>请改正这些行后重新上传整个文件</h3><ol>"
        yield from (_problem(each) for each in taken.problems[:SHOWN_PROBLEMS])
        yield "</ol>"
    yield "</section>"


def _problem(each: RowProblem) -> str:
    how = html.escape(advice(each))
    return f'<li>{html.escape(each.text)}<span class="hint">怎样改：{how}</span></li>'
