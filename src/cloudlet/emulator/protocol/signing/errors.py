"""What can be wrong with a request's signature, and S3's words for it.

    SignatureError
    ├── MissingParameter        the form of authentication needs a parameter that is not there
    ├── MalformedParameter      a parameter cannot be read
    ├── RequestExpired          a presigned URL after its end
    ├── RequestNotYetValid      a presigned URL before its beginning
    ├── ClockSkew               a signed request too far from now
    ├── HeadersNotSigned        headers that matter came with a presigned URL, but it does not sign them
    ├── PayloadMismatch         the body is not what its declared hash says
    └── SignatureMismatch       the signature is not ours; holds what we computed

Source: Amazon S3 API reference, "List of error codes" and "Authenticating requests (AWS Signature Version 4)"; the
messages as S3 sends them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

QUERY_V4_PARAMETERS = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
QUERY_V2_PARAMETERS = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
MAX_SKEW_SECONDS = 900


class SignatureError(Exception):
    """The base. `form` is `header-v4`, `query-v4`, `header-v2`, `query-v2`, `post-v4` or `post-v2`."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.form = form


class MissingParameter(SignatureError):
    def __init__(self, form: str, name: str) -> None:
        super().__init__(form)
        self.name = name


class MalformedParameter(SignatureError):
    """`problem` is AWS's sentence about the parameter `name`."""

    def __init__(self, form: str, name: str, problem: str) -> None:
        super().__init__(form)
        self.name = name
        self.problem = problem


class RequestExpired(SignatureError):
    """`ended` and `now` in seconds since the epoch; `expires_seconds` as the URL says, None for version 2."""

    def __init__(self, form: str, ended: float, now: float, expires_seconds: int | None) -> None:
        super().__init__(form)
        self.ended = ended
        self.now = now
        self.expires_seconds = expires_seconds


class RequestNotYetValid(SignatureError):
    def __init__(self, form: str, begins: float, now: float) -> None:
        super().__init__(form)
        self.begins = begins
        self.now = now


class ClockSkew(SignatureError):
    """`stated` is the request's own time as it was written."""

    def __init__(self, form: str, stated: str, now: float) -> None:
        super().__init__(form)
        self.stated = stated
        self.now = now


class HeadersNotSigned(SignatureError):
    def __init__(self, form: str, names: tuple[str, ...]) -> None:
        super().__init__(form)
        self.names = names


class PayloadMismatch(SignatureError):
    def __init__(self, form: str, declared: str, computed: str) -> None:
        super().__init__(form)
        self.declared = declared
        self.computed = computed


class SignatureMismatch(SignatureError):
    """`canonical_request` is empty for version 2 and for POST policies, which have none."""

    def __init__(
        self, form: str, access_key: str, provided: str, string_to_sign: str, canonical_request: str = ""
    ) -> None:
        super().__init__(form)
        self.access_key = access_key
        self.provided = provided
        self.string_to_sign = string_to_sign
        self.canonical_request = canonical_request


def s3_error(error: SignatureError) -> AwsError:
    """The error that S3 answers with."""
    match error:
        case SignatureMismatch():
            return s3_mismatch(error)
        case RequestExpired():
            members = {"Expires": iso(error.ended), "ServerTime": iso(error.now)}
            if error.expires_seconds is not None:
                members = {"X-Amz-Expires": str(error.expires_seconds), **members}
            return UnmodelledError("AccessDenied", "Request has expired", 403, **members)
        case RequestNotYetValid():
            members = {"RequestTime": iso(error.begins), "ServerTime": iso(error.now)}
            return UnmodelledError("AccessDenied", "Request is not valid yet", 403, **members)
        case ClockSkew():
            return UnmodelledError(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                403,
                RequestTime=error.stated,
                ServerTime=iso(error.now),
                MaxAllowedSkewMilliseconds=str(MAX_SKEW_SECONDS * 1000),
            )
        case HeadersNotSigned():
            return UnmodelledError(
                "AccessDenied",
                "There were headers present in the request which were not signed",
                403,
                HeadersNotSigned=", ".join(error.names),
            )
        case PayloadMismatch():
            return UnmodelledError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                400,
                ClientComputedContentSHA256=error.declared,
                S3ComputedContentSHA256=error.computed,
            )
        case MissingParameter() | MalformedParameter():
            return s3_bad_parameter(error)
    raise TypeError(f"{type(error).__name__} has no S3 error")


def s3_bad_parameter(error: MissingParameter | MalformedParameter) -> AwsError:
    problem = error.problem if isinstance(error, MalformedParameter) else ""
    if error.form == "query-v4":
        return UnmodelledError("AuthorizationQueryParametersError", problem or QUERY_V4_PARAMETERS, 400)
    if error.form == "query-v2":
        return UnmodelledError("AccessDenied", problem or QUERY_V2_PARAMETERS, 403)
    if error.name == "x-amz-date":
        sentence = "AWS authentication requires a valid Date or x-amz-date header"
        return UnmodelledError("AccessDenied", sentence, 403)
    if error.name == "x-amz-content-sha256":
        sentence = "Missing required header for this request: x-amz-content-sha256"
        return UnmodelledError("InvalidRequest", sentence, 400)
    problem = problem or f"missing {error.name}."
    return UnmodelledError("AuthorizationHeaderMalformed", f"The authorization header is malformed; {problem}", 400)


def s3_mismatch(error: SignatureMismatch) -> AwsError:
    members = {
        "AWSAccessKeyId": error.access_key,
        "StringToSign": error.string_to_sign,
        "SignatureProvided": error.provided,
        "StringToSignBytes": spaced_hex(error.string_to_sign),
    }
    if error.canonical_request:
        members["CanonicalRequest"] = error.canonical_request
        members["CanonicalRequestBytes"] = spaced_hex(error.canonical_request)
    return UnmodelledError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
        403,
        **members,
    )


def spaced_hex(text: str) -> str:
    return text.encode("latin-1", "replace").hex(" ")


def iso(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
