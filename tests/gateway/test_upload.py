"""The upload page takes nothing of a file before it knows who sends it, and only so much at once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.advice import advice
from gateway.config import Department, Upload
from gateway.inbox import Arrival, Taken
from gateway.problems import RowProblem
from gateway.upload import AT_ONCE, FIELDS, UploadPage
from schemas.errors import CallError

aiohttp = pytest.importorskip("aiohttp")

CODE, KIND = "synthetic-code", "medical.settlement"
DEPARTMENT = Department(name="市医保局", code_sha256=hashlib.sha256(CODE.encode()).hexdigest(), feeds=[KIND])
Post = Callable[..., Awaitable[tuple[int, str]]]


class Page:
    """The page over a socket file, with a take that remembers what came."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.came, self.arrivals = folder, list[bytes](), list[Arrival]()
        self.page = UploadPage(Upload(departments=[DEPARTMENT]), self.take, folder)

    def take(self, arrival: Arrival) -> Taken:
        self.came.append(arrival.path.read_bytes())
        self.arrivals.append(arrival)
        raise CallError("已读")

    def run(self, work: Callable[[Post], Awaitable[None]]) -> None:
        async def turn() -> None:
            runner, place = aiohttp.web.AppRunner(self.page.app()), str(self.folder.parent / "page.sock")
            await runner.setup()
            await aiohttp.web.UnixSite(runner, place).start()
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(place)) as client:

                async def post(data: object, **more: object) -> tuple[int, str]:
                    async with client.post("http://localhost/upload", data=data, **more) as answer:
                        return answer.status, await answer.text()

                await work(post)
            await runner.cleanup()

        asyncio.run(turn())


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr("gateway.upload.WRONG_CODE_SECONDS", 0.0)
    return Page(tmp_path / "uploads")


def form(*fields: tuple[str, str], file_at: int) -> object:
    made = aiohttp.FormData()
    for at, (name, value) in enumerate([*fields, ("", "")]):
        if at == file_at:
            made.add_field("file", b"a,b\n1,2\n", filename="x.csv")
        if name:
            made.add_field(name, value)
    return made


def test_no_byte_of_a_file_is_written_before_the_code(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(*_: object, **__: object) -> None:
        raise AssertionError("written")

    monkeypatch.setattr("gateway.upload._written", written)

    async def work(post: Post) -> None:
        status, text = await post(form(("feed", KIND), ("code", CODE), file_at=0))
        assert (status, "口令须填写" in text) == (400, True)
        status, text = await post(form(("code", "falsch"), ("feed", KIND), file_at=2))
        assert (status, "口令不对" in text) == (400, True)

    page.run(work)


def test_the_code_first_then_the_file(page: Page) -> None:
    async def work(post: Post) -> None:
        status, text = await post(form(("code", CODE), ("feed", KIND), file_at=2))
        assert (status, "已读" in text) == (400, True)

    page.run(work)
    assert page.came == [b"a,b\n1,2\n"]
    assert not list(page.folder.iterdir())
    shown = (Path(__file__).parents[2] / "gateway" / "upload.html").read_text(encoding="utf-8")
    assert shown.index('name="code"') < shown.index('name="file"')


def test_a_file_may_be_sent_again_when_asked_for(page: Page) -> None:
    async def work(post: Post) -> None:
        await post(form(("code", CODE), ("feed", KIND), file_at=2))
        await post(form(("code", CODE), ("feed", KIND), ("again", "yes"), file_at=3))

    page.run(work)
    assert [each.again for each in page.arrivals] == [False, True]


def test_a_department_is_read_by_its_own_mapping_others_by_that_of_the_gateway(page: Page) -> None:
    own = DEPARTMENT.model_copy(update={"mappings": {KIND: Path("own.yaml")}})
    seen = []
    for department in (own, DEPARTMENT):
        config = Upload(departments=[department])
        page.page = UploadPage(config, page.take, page.folder, mappings={KIND: Path("all.yaml")})

        async def work(post: Post) -> None:
            await post(form(("code", CODE), ("feed", KIND), file_at=2))

        page.run(work)
        seen.append(page.arrivals[-1].mapping)
    assert seen == [Path("own.yaml"), Path("all.yaml")]


def test_a_mapping_of_what_a_department_does_not_send_is_refused() -> None:
    with pytest.raises(ValueError, match="有映射而不报送"):
        Department(name="甲", code_sha256="0" * 64, feeds=[KIND], mappings={"vital.death": Path("a.yaml")})


def test_forms_have_bounds(page: Page) -> None:
    async def work(post: Post) -> None:
        assert (await post(b"x", headers={"Content-Type": "text/plain"}))[0] == 400
        status, text = await post(form(*[(f"f{n}", "x") for n in range(FIELDS + 1)], file_at=FIELDS + 1))
        assert (status, "过长" in text) == (400, True)
        status, text = await post(form(("code", "x" * 100_000), file_at=1))
        assert (status, "过长" in text) == (400, True)
        page.page._coming = AT_ONCE  # noqa: SLF001 - as many as may come are coming
        assert (await post(form(("code", CODE), file_at=1)))[0] == 503

    page.run(work)


def test_a_key_others_may_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("x")
    key.chmod(0o644)
    config = Upload(departments=[DEPARTMENT], certificate=tmp_path / "cert.pem", key=key)
    with pytest.raises(CallError, match="chmod 600"):
        UploadPage(config, lambda _: pytest.fail("taken"), tmp_path / "u").context()


def test_the_page_says_of_each_wrong_row_how_to_mend_it(page: Page) -> None:
    wrong = RowProblem(40, "总费用(元)", "数字被 * 遮盖，不能当作 0：请填写原数", "0*.00<")
    taken = Taken("x.csv", "partly", datetime(2026, 6, 8, tzinfo=UTC), None, (wrong,))
    page.page._take = lambda _: taken  # noqa: SLF001 - what becomes of the file is given

    async def work(post: Post) -> None:
        status, text = await post(form(("code", CODE), ("feed", KIND), file_at=2))
        assert status == 200
        assert '<section class="part"' in text
        assert "0*.00&lt;" in text
        assert f"怎样改：{advice(wrong)}" in text

    page.run(work)


def part(name: str, value: str, more: str = "") -> str:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}'


FILE = "a,b\n" + "1,2\n" * 19
FORM = "\r\n".join(
    [part("code", CODE), part("feed", KIND), part("file", FILE, '; filename="x.csv"'), "--b--\r\n"]
)
HEAD = (
    "POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(FORM)}\r\n\r\n"
)


async def dial(page: Page, *pieces: str, pause: float = 0.0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A sender that says only this of its form."""
    reader, writer = await asyncio.open_unix_connection(str(page.folder.parent / "page.sock"))
    for piece in (HEAD, *pieces):
        writer.write(piece.encode())
        await writer.drain()
        await asyncio.sleep(pause)
    return reader, writer


def test_silent_connections_close_the_page_to_nobody(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upload.QUIET_SECONDS", 5.0)

    async def work(post: Post) -> None:
        silent = [await dial(page) for _ in range(AT_ONCE)]
        await asyncio.sleep(0.2)
        status, text = await post(form(("code", CODE), ("feed", KIND), file_at=2))
        assert (status, "已读" in text) == (400, True)
        for _, writer in silent:
            writer.close()

    page.run(work)


def test_who_falls_silent_is_given_up_and_loses_the_place(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upload.QUIET_SECONDS", 0.5)

    async def work(_: Post) -> None:
        for said in ("", FORM[: FORM.index("1,2")]):
            reader, writer = await dial(page, said)
            assert b"HTTP/1.1 400" in await asyncio.wait_for(reader.readline(), 20)
            await asyncio.wait_for(reader.readuntil("没有收到内容".encode()), 5)
            writer.close()
        assert page.page._coming == 0  # noqa: SLF001 - nobody is coming any more

    page.run(work)
    assert not page.came
    assert not list(page.folder.iterdir())


def test_a_slow_line_is_no_silent_one(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.upload.QUIET_SECONDS", 3.0)

    async def work(_: Post) -> None:
        at = FORM.index(FILE)
        cut = [FORM[:at], *(FORM[n : n + 8] for n in range(at, at + len(FILE), 8)), FORM[at + len(FILE) :]]
        reader, writer = await dial(page, *cut, pause=0.4)
        assert b"HTTP/1.1 400" in await asyncio.wait_for(reader.readline(), 20)
        writer.close()

    page.run(work)
    assert page.came == [FILE.encode()]
