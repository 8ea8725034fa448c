"""Settings of a running `lidm`: environment variables `LIDM_*`, then the announced service, then defaults."""

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.born import lives
from gateway.security import Mechanism, Security
from gateway.security import Protocol as SecurityProtocol
from schemas.errors import CallError, Unreachable
from schemas.free_text import has_private_number

NOT_SETTINGS = {"LIDM_CACHE", "LIDM_TEST_REQUIRE_LIVE"}
"""Names of the build and the tests, no business of a running service."""
Clock = Literal["wall", "driven"]
Size = Literal["trial", "county", "city", "province"]


class Address(BaseModel):
    """Where ClickHouse listens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int


class Announced(BaseModel):
    """What a running stack says of itself in `<data_dir>/run/service.json`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    mode: Literal["local", "embedded"]
    broker: str
    clickhouse: Address | None = None
    api: str | None = None
    pid: int
    born: str | None = None
    replication: int | None = None
    clock: Clock = "wall"
    size: Size = "trial"


class Settings(BaseSettings):
    """Every knob an operator has. Unknown `LIDM_*` names are errors; values are checked at start."""

    model_config = SettingsConfigDict(env_prefix="LIDM_", extra="forbid", frozen=True, hide_input_in_errors=True)

    data_dir: Path = Path(".lidm")
    broker: str | None = None
    store: Literal["clickhouse", "embedded"] = "clickhouse"
    clickhouse_host: str | None = None
    clickhouse_port: int | None = None
    clickhouse_database: str = "lidm"
    clickhouse_user: str = "default"
    clickhouse_password: str = ""
    clock: Clock | None = None
    size: Size | None = None
    replication: int | None = Field(default=None, ge=1)
    policy_dir: Path = Path(__file__).resolve().parent.parent / "policy"
    kafka_security: SecurityProtocol = "PLAINTEXT"
    kafka_ca_file: Path | None = None
    kafka_cert_file: Path | None = None
    kafka_key_file: Path | None = None
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password_file: Path | None = None
    linkage_key_file: Path | None = None
    vault_file: Path | None = None
    seal_public_key_file: Path | None = None
    session_seconds: float = 30.0
    checkpoint_seconds: float = 0.5
    unread_bytes: int = Field(default=2_000_000, ge=100_000, le=2_000_000)
    area: str = ""
    trial_detectors: str = ""
    breaker_share: float = 0.5
    breaker_rows: int = 1000
    breaker_minutes: int = 60
    instance: str | None = None
    http_port: int = 0
    generation: str = "g1"
    actor: str = "operator"
    failpoint: str | None = None
    log_level: str = "info"

    @field_validator("actor")
    @classmethod
    def _nobodys_number(cls, actor: str) -> str:
        """Who did something stays in plain, in topics and files."""
        if has_private_number(actor):
            raise ValueError("经办人代号里不能有证件号码或手机号码")
        return actor

    @property
    def announced(self) -> Announced | None:
        """The stack that runs in this data folder, if one announced itself and was not killed since."""
        return None if self.left_behind else self._said

    @cached_property
    def left_behind(self) -> bool:
        """Whether the folder tells of an embedded service that is no more: it was killed and could not say so."""
        said = self._said
        return said is not None and said.mode == "embedded" and not lives(said.pid, said.born)

    @cached_property
    def _said(self) -> Announced | None:
        path = self.data_dir / "run" / "service.json"
        if not path.exists():
            return None
        try:
            return Announced.model_validate(json.loads(path.read_text()))
        except (ValidationError, json.JSONDecodeError) as error:
            raise CallError(f"服务描述文件无法读取：{path}") from error

    @property
    def bootstrap(self) -> str:
        """Address of the broker. Raises Unreachable when nothing is configured and nothing runs here."""
        if self.broker:
            return self.broker
        if self.announced:
            return self.announced.broker
        if self.left_behind and self._said:
            raise Unreachable(f"这里的内嵌服务（进程 {self._said.pid}）已意外结束：请重新运行 lidm run --embedded")
        raise Unreachable("没有找到消息服务：请先运行 make up 或 lidm run --embedded，或设置 LIDM_BROKER")

    @property
    def security(self) -> Security:
        """TLS and SASL of a publisher's connection."""
        return Security(
            protocol=self.kafka_security,
            ca_file=self.kafka_ca_file,
            cert_file=self.kafka_cert_file,
            key_file=self.kafka_key_file,
            mechanism=self.kafka_mechanism,
            username=self.kafka_username,
            password_file=self.kafka_password_file,
        )

    @property
    def embedded(self) -> bool:
        """Whether the broker is the in-memory cluster of another process."""
        return self.broker is None and self.announced is not None and self.announced.mode == "embedded"

    @property
    def trial(self) -> tuple[str, ...]:
        """Detectors on trial that run here: `LIDM_TRIAL_DETECTORS`, codes with commas between, or `*`."""
        return tuple(code.strip() for code in self.trial_detectors.split(",") if code.strip())

    @property
    def effective_clock(self) -> Clock:
        """`wall`, unless set or announced otherwise."""
        return self.clock or (self.announced.clock if self.announced else "wall")

    @property
    def effective_size(self) -> Size:
        """Partition size class of this generation."""
        return self.size or (self.announced.size if self.announced else "trial")

    @property
    def effective_replication(self) -> int:
        """Copies of every message: as set, as the running stack can hold, else one for a trial and three beyond."""
        announced = self.announced.replication if self.announced else None
        return self.replication or announced or (1 if self.effective_size == "trial" else 3)

    @property
    def clickhouse(self) -> Address:
        """Address of the ClickHouse server. Raises Unreachable when none is known."""
        if self.clickhouse_host:
            return Address(host=self.clickhouse_host, port=self.clickhouse_port or 9000)
        if self.announced and self.announced.clickhouse:
            return self.announced.clickhouse
        raise Unreachable("没有找到 ClickHouse：请先运行 make up，或设置 LIDM_CLICKHOUSE_HOST")

    @property
    def keys_dir(self) -> Path:
        """Folder of the gateway's keys."""
        return self.data_dir / "keys"

    @property
    def vault(self) -> Path:
        """File of the encrypted vault."""
        return self.vault_file or self.data_dir / "vault.sqlite"


def load_settings() -> Settings:
    """Settings of this process. Raises CallError that names the wrong variable."""
    known = {f"LIDM_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    unknown = sorted(name for name in os.environ if name.startswith("LIDM_") and name not in known)
    if unknown:
        raise CallError(f"没有这样的设置：{'、'.join(unknown)}")
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "、".join(f"LIDM_{'_'.join(map(str, e['loc'])).upper()}" for e in error.errors())
        raise CallError(f"设置有误：{wrong}") from error
    return settings
