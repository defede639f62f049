"""One question for the gateway and for S3: is this request's signature good? Answers for every form of signature.

read        sigv4.read_signature, sigv2.read_signature
verify      sigv4.verify, sigv2.verify
refuse      signature_errors.s3_error
"""

from __future__ import annotations

from collections.abc import Callable

from cloudlet.emulator.protocol.message import HttpRequest
from cloudlet.emulator.protocol.signing import sigv2, sigv4
from cloudlet.emulator.protocol.signing.errors import SignatureError, s3_error

SecretOf = Callable[[str], str]  # access key -> secret access key


def is_presigned(request: HttpRequest) -> bool:
    """Whether the query carries a signature, of either version."""
    query = request.query
    return "Signature=" in query or "X-Amz-Algorithm=" in query or "AWSAccessKeyId=" in query


def check_s3_signature(request: HttpRequest, secret_of: SecretOf, now: float, bucket: str = "") -> None:
    """Raises AwsError, as S3 would, for a signature that is wrong, expired or incomplete; requests without one pass.

    `now` is in seconds since the epoch; `bucket` is that of the host name, empty in path style.
    """
    try:
        signed = sigv4.read_signature(request)
        if signed is not None:
            sigv4.verify(request, signed, secret_of(signed.credential.access_key), now)
            return
        older = sigv2.read_signature(request)
        if older is not None:
            sigv2.verify(request, older, secret_of(older.access_key), now, bucket)
    except SignatureError as error:
        raise s3_error(error) from None
