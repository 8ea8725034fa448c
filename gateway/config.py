"""What a gateway is told to do: one YAML file, read strictly; a wrong one is refused with the place."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import CallError, DataError
from schemas.feed import FEEDS

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Department(_Strict):
    """Who may upload what. `code_sha256`: digest of the access code given to the department.

    `mappings`: how this department's own tables become a feed, where that is not how the gateway's own say.
    """

    name: str
    code_sha256: str = Field(pattern=r"[0-9a-f]{64}")
    feeds: list[str] = Field(min_length=1)
    mappings: dict[str, Path] = {}

    @model_validator(mode="after")
    def _maps_what_it_sends(self) -> Self:
        if unsent := sorted(self.mappings.keys() - set(self.feeds)):
            raise ValueError(f"{self.name} 有映射而不报送：{'、'.join(unsent)}")
        return self


class Upload(_Strict):
    """The upload page. Beyond loopback it speaks TLS or not at all."""

    host: str = "127.0.0.1"
    port: int = Field(default=8443, ge=0, le=65535)
    certificate: Path | None = None
    key: Path | None = None
    max_megabytes: int = Field(default=1024, ge=1)
    departments: list[Department]

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.host not in LOOPBACK and (self.certificate is None or self.key is None):
            raise ValueError("对外提供上传必须有证书（certificate、key）")
        return self


class View(_Strict):
    """A database view pulled by watermark. The address with its password stands in a file only its owner reads.

    `overlap_minutes`: how much later than its stamp a row may become visible, longer than any transaction there lasts.
    """

    name: str = Field(pattern=r"[A-Za-z0-9_-]+")
    url_file: Path
    table: str
    feed: str
    columns: dict[str, str] = Field(min_length=1)
    watermark: str
    period: str | None = None
    areas: list[str] = []
    every_minutes: int = Field(default=60, ge=1)
    overlap_minutes: int = Field(default=10, ge=0)
    page_rows: int = Field(default=50_000, ge=1)


class GatewayConfig(_Strict):
    """The ways in that are open; each is optional. `mappings`: by feed, for files of the folder and uploads."""

    folder: Path | None = None
    settle_seconds: float = Field(default=10.0, ge=0)
    keep_days: int = Field(default=30, ge=1)
    mappings: dict[str, Path] = {}
    upload: Upload | None = None
    views: list[View] = []
    sealed: bool = False

    @model_validator(mode="after")
    def _known_feeds(self) -> Self:
        named = [*self.mappings, *(view.feed for view in self.views)]
        named += [feed for each in (self.upload.departments if self.upload else []) for feed in each.feeds]
        unknown = sorted({feed for feed in named if feed not in FEEDS})
        if unknown:
            raise ValueError(f"没有数据类 {'、'.join(unknown)}")
        return self


def load_config(path: Path) -> GatewayConfig:
    """Reads the file. Raises CallError when there is none, DataError saying where it is wrong."""
    if not path.is_file():
        raise CallError(f"没有这个文件：{path}")
    try:
        return GatewayConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise DataError(f"{path} 不是有效的 YAML") from error
    except ValidationError as error:
        said = "；".join(f"{'.'.join(map(str, e['loc'])) or '整体'}：{e['msg']}" for e in error.errors())
        raise DataError(f"{path} 有误：{said}") from error
