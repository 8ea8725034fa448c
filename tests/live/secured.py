"""A broker with a second listener as a production cluster has one: TLS, and SCRAM for whoever publishes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local import KafkaBroker
from deploy.local.ports import LOOPBACK

USER, PASSWORD = "dept-medical", "synthetic-secret-1"
OUTSIDE = """
listeners=PLAINTEXT://{host}:{broker},OUTSIDE://{host}:{outside},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker},OUTSIDE://localhost:{outside}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OUTSIDE:SASL_SSL
listener.name.outside.ssl.keystore.type=PEM
listener.name.outside.ssl.keystore.location={keystore}
listener.name.outside.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.outside.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class SecuredBroker(KafkaBroker):
    """`bootstrap` is the plain inner listener, `outside` the secured one."""

    ports = ("broker", "controller", "outside")
    format_arguments = ("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]")

    @property
    def outside(self) -> str:
        """`host:port` by the name in the certificate."""
        return f"localhost:{self._port('outside')}"

    @property
    def authority(self) -> Path:
        """The certificate to trust."""
        return self.folder / "cert.pem"

    def properties(self, ports: dict[str, int]) -> str:
        """Both listeners; what is said again replaces what was said."""
        keystore = self.folder / "keystore.pem"
        if not keystore.exists():
            certificate, key = certificate_for_loopback(self.folder)
            keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
        said = super().properties(ports)
        plain = [line for line in said.splitlines() if not line.startswith(("listener", "advertised"))]
        return "\n".join(plain) + OUTSIDE.format(host=LOOPBACK, keystore=keystore, **ports)


def certificate_for_loopback(folder: Path) -> tuple[Path, Path]:
    """Self-signed certificate and key for `localhost`, as PEM files of their owner."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    one, other = folder / "cert.pem", folder / "key.pem"
    one.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    other.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    other.chmod(0o600)
    return one, other
