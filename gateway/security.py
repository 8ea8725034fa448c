"""How a publisher proves itself to the broker and the broker to it: TLS and SASL, from files, never from arguments."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from schemas.errors import CallError

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True)
class Security:
    """The connection's settings. Passwords stand in files that only their owner may read."""

    protocol: Protocol = "PLAINTEXT"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """What kafka-python takes. Raises CallError where settings contradict each other or a file is missing."""
        said: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol in {"SSL", "SASL_SSL"}:
            files = {"ssl_cafile": self.ca_file, "ssl_certfile": self.cert_file, "ssl_keyfile": self.key_file}
            for name, path in files.items():
                if path is not None and not path.is_file():
                    raise CallError(f"没有证书文件 {path}")
                said[name] = str(path) if path is not None else None
        elif self.ca_file or self.cert_file or self.key_file:
            raise CallError("给了证书却没有使用 TLS：请把 LIDM_KAFKA_SECURITY 设为 SSL 或 SASL_SSL")
        if self.protocol.startswith("SASL"):
            said |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.username}
            said["sasl_plain_password"] = self._password()
        elif self.username or self.password_file:
            raise CallError("给了用户名却没有使用 SASL：请把 LIDM_KAFKA_SECURITY 设为 SASL_SSL")
        return said

    def _password(self) -> str:
        if not self.username or self.password_file is None:
            raise CallError("SASL 需要用户名和密码文件：LIDM_KAFKA_USERNAME、LIDM_KAFKA_PASSWORD_FILE")
        if not self.password_file.is_file():
            raise CallError(f"没有密码文件 {self.password_file}")
        if self.password_file.stat().st_mode & 0o077:
            raise CallError(f"密码文件 {self.password_file} 可被他人读取：请先 chmod 600")
        return self.password_file.read_text(encoding="utf-8").strip()


PLAIN = Security()
