"""Sealed bytes: whoever holds the public key may write them, only the private key opens them.

X25519 with a fresh key per message, HKDF-SHA256 over both public keys, AES-256-GCM. Shape: version byte 1, the fresh
public key (32 bytes), ciphertext with its tag (16 bytes). Since the key is used once, the nonce is constant.
"""

_VERSION = b"\x01"
_KEY = 32
_NONCE = bytes(12)
_INFO = b"lidm sealed v1"
OVERHEAD = len(_VERSION) + _KEY + 16


class SealBroken(Exception):
    """The bytes are not sealed for this key, were altered, or belong to another context."""


def new_key_pair() -> tuple[bytes, bytes]:
    """A private and its public key, 32 raw bytes each."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    private = X25519PrivateKey.generate()
    return private.private_bytes_raw(), private.public_key().public_bytes_raw()


def seal(public_key: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """`plaintext` for the holder of the private key; `aad` is not kept inside and must be the same when opening."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    fresh = X25519PrivateKey.generate()
    mine = fresh.public_key().public_bytes_raw()
    key = _derive(fresh.exchange(X25519PublicKey.from_public_bytes(public_key)), mine, public_key)
    return _VERSION + mine + AESGCM(key).encrypt(_NONCE, plaintext, _VERSION + aad)


def open_sealed(private_key: bytes, sealed: bytes, aad: bytes = b"") -> bytes:
    """What was sealed. Raises SealBroken without saying more."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(sealed) < OVERHEAD or sealed[:1] != _VERSION:
        raise SealBroken
    theirs = sealed[1 : 1 + _KEY]
    private = X25519PrivateKey.from_private_bytes(private_key)
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(theirs))
        key = _derive(shared, theirs, private.public_key().public_bytes_raw())
        return AESGCM(key).decrypt(_NONCE, sealed[1 + _KEY :], _VERSION + aad)
    except (InvalidTag, ValueError):
        raise SealBroken from None


def _derive(shared: bytes, fresh_public: bytes, public_key: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=_KEY, salt=fresh_public + public_key, info=_INFO).derive(shared)
