"""Signature V4: only requests that are signed as AWS clients do are accepted."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request as Asked
from urllib.request import urlopen

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from seedctl.local.bodies import Body
from seedctl.local.http1 import Request
from seedctl.local.identity_pool import Principal
from seedctl.local.s3.callers import identify
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.requests import read_request
from seedctl.local.s3.rules import role_of
from seedctl.local.s3.signature import ChunkVerifier, read_signature, verify
from tests.boto3_clients import error_code as _code
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "storage_requests.json").read_text())
SIGNED_AT = 1_736_942_400.0  # VECTORS["clock"]
SECRETS = {
    session["credentials"]["accessKeyId"]: session["credentials"]["secretAccessKey"]
    for session in VECTORS["sessions"].values()
    if isinstance(session, dict)
}


def _recorded() -> Iterator[tuple[str, Any]]:
    for vector in VECTORS["vectors"]:
        expected = vector["expect"]
        for number, sent in enumerate(expected.get("http_requests", [])):
            if "authorization" in sent["headers"]:
                yield f"{vector['id']}-{number}", sent
        url = expected.get("returned", {}).get("url")
        if url:
            host = {"host": urlsplit(url).netloc}
            yield vector["id"], {"method": "GET", "url": url, "headers": host}


def _read(method: str, url: str, headers: dict[str, str], **_: object) -> Any:
    parts = urlsplit(url)
    return read_request(
        Request(
            method=method,
            path=parts.path,
            query=parts.query,
            headers=headers,
            body=b"",
            raw_path=parts.path,
            stream=Body(io.BytesIO(), 0),
        )
    )


def test_recorded_requests() -> None:
    """Every recorded request of the JavaScript client verifies, but not with another secret."""
    recorded = list(_recorded())
    assert len(recorded) > 30
    for name, sent in recorded:
        with case(name):
            request = _read(**sent)
            signature = read_signature(request)
            verify(signature, SECRETS[signature.access_key_id], request, SIGNED_AT)
            with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
                verify(signature, "another", request, SIGNED_AT)


def test_times() -> None:
    """A signature holds for 15 minutes in both directions, a presigned URL as long as it says."""
    for _, sent in _recorded():
        request = _read(**sent)
        signature = read_signature(request)
        expires = signature.expires
        skewed = "RequestTimeTooSkewed" if expires is None else "not valid yet"
        first, last = -900, 900 if expires is None else expires
        for seconds, error in (
            (first - 1, skewed),
            (first, None),
            (last, None),
            (last + 1, skewed if expires is None else "has expired"),
        ):
            with (
                case(sent["url"], seconds),
                nullcontext() if error is None else pytest.raises(S3Error, match=error),
            ):
                now = signature.signed_at + seconds
                verify(signature, SECRETS[signature.access_key_id], request, now)


def test_callers_with_temporary_keys() -> None:
    """Their token is required, in a header or in the URL, and the chunks they send are verified."""
    session = VECTORS["sessions"]["signedIn"]
    token = session["credentials"]["sessionToken"]
    key = session["credentials"]["accessKeyId"]
    places = set()
    for _, sent in _recorded():
        request = _read(**sent)
        if read_signature(request).access_key_id != key:
            continue
        places.add("x-amz-security-token" in sent["headers"])
        for known in (token, "another"):
            holder = Principal(key, "id", {"sub": "1"}, SIGNED_AT, SECRETS[key], known)
            refused = pytest.raises(S3Error, match="InvalidToken")
            with case(sent["url"], known), nullcontext() if known == token else refused:
                caller = identify(request, {key: holder}.get, (), SIGNED_AT)
                assert caller.role == role_of("id", {"sub": "1"}, ())
                assert caller.verifier is not None
    assert places == {True, False}


def test_parameters_in_lower_case() -> None:
    """The names of the parameters of a presigned URL may have any case."""
    url = next(sent["url"] for _, sent in _recorded() if "X-Amz-Signature" in sent["url"])
    host = {"host": urlsplit(url).netloc}
    request = _read("GET", url.replace("X-Amz-Signature", "x-amz-signature"), host)
    signature = read_signature(request)
    verify(signature, SECRETS[signature.access_key_id], request, SIGNED_AT)


def test_wrong_secret(shared: Any) -> None:
    """The local key needs its own secret; any developer's key is accepted unverified."""
    shared.client().list_objects_v2(Bucket=shared.bucket)
    wrong = shared.client("local", "wrong")
    assert _code(wrong.list_objects_v2, Bucket=shared.bucket) == "SignatureDoesNotMatch"
    shared.client("AKIDEVELOPER", "whatever").list_objects_v2(Bucket=shared.bucket)


def test_unknown_temporary_key(shared: Any) -> None:
    """Unknown temporary credentials are reported as expired, so that clients get new ones."""
    client = shared.client("ASIAUNKNOWN000000000", "x", "token")
    assert _code(client.list_objects_v2, Bucket=shared.bucket) == "ExpiredToken"


@pytest.mark.parametrize("ahead", [16 * 60, -16 * 60])
def test_skew(harness: Any, ahead: float) -> None:
    """A request signed more than 15 minutes away is rejected."""
    client = harness.client()
    client.list_objects_v2(Bucket=harness.bucket)
    harness.clock.ahead = ahead
    assert _code(client.list_objects_v2, Bucket=harness.bucket) == "RequestTimeTooSkewed"


def _get(url: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urlopen(Asked(url, body, method=method), timeout=20) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_presigned(harness: Any) -> None:
    """A presigned URL works until it expires."""
    client = harness.client()
    target = {"Bucket": harness.bucket, "Key": "a b/ü+c.txt"}
    put = client.generate_presigned_url("put_object", Params=target, ExpiresIn=60)
    # urllib would send the content type of a form, which was not signed.
    assert _get(put, "PUT", b"hello")[0] == 200
    url = client.generate_presigned_url(
        "get_object", Params={**target, "ResponseContentType": "image/png"}, ExpiresIn=60
    )
    with urlopen(url, timeout=20) as response:
        assert (response.read(), response.headers["Content-Type"]) == (b"hello", "image/png")
    changed = url.replace("image%2Fpng", "text%2Fhtml")
    assert changed != url
    for bad in (changed, f"{url}&response-cache-control=x", url.replace("c.txt", "d.txt")):
        status, body = _get(bad)
        assert (status, b"<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)
    assert _get(url, "DELETE")[0] == 403
    harness.clock.ahead = 61
    status, body = _get(url)
    assert (status, b"Request has expired" in body) == (403, True)
    harness.clock.ahead = -16 * 60
    assert b"not valid yet" in _get(url)[1]


def test_presigned_by_a_developer(harness: Any) -> None:
    """A presigned URL expires even if its signature is not verified."""
    client = harness.client("AKIDEVELOPER", "x")
    client.put_object(Bucket=harness.bucket, Key="k", Body=b"x")
    url = client.generate_presigned_url("get_object", Params={"Bucket": harness.bucket, "Key": "k"})
    assert _get(url) == (200, b"x")
    harness.clock.ahead = 3601
    assert _get(url)[0] == 403


@pytest.mark.parametrize("name", ["x-amz-meta-a", "x-amz-meta-b", "x-amz-security-token"])
def test_unsigned_header_beside_a_presigned_url(harness: Any, name: str) -> None:
    """A presigned URL with a header that it does not sign is rejected."""
    request = AWSRequest("PUT", f"{harness.sandbox.url}/{harness.bucket}/k?x-amz-meta-a=signed")
    S3SigV4QueryAuth(Credentials("local", "local"), "s3", "us-east-1").add_auth(request)
    path = request.url.removeprefix(harness.sandbox.url)
    status, _, body = harness.send("PUT", path, b"x", {name: "EVIL"})
    assert (status, b"<Code>AccessDenied</Code>" in body) == (403, True)
    assert b"were not signed" in body
    assert f"<HeadersNotSigned>{name}</HeadersNotSigned>".encode() in body
    assert harness.send("PUT", path, b"x", {})[0] == 200
    head = harness.client().head_object(Bucket=harness.bucket, Key="k")
    assert head["Metadata"] == {"a": "signed"}


def test_query_wins_over_a_header(harness: Any, signed: Any) -> None:
    """A header does not override a parameter, even if the signature is not verified."""
    path = f"/{harness.bucket}/k?x-amz-meta-a=signed"
    assert harness.send("PUT", path, b"x", signed(x_amz_meta_a="EVIL"))[0] == 200
    head = harness.client().head_object(Bucket=harness.bucket, Key="k")
    assert head["Metadata"] == {"a": "signed"}


QUERY = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "local/20260101/us-east-1/s3/aws4_request",
    "X-Amz-Date": "20260101T000000Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "00",
}


def test_malformed_presigned(shared: Any) -> None:
    """A presigned URL with an incomplete signature is rejected."""
    for case_name, change, code in (
        ("algorithm", {"X-Amz-Algorithm": "AWS4-ECDSA"}, "Authorization"),
        ("credential", {"X-Amz-Credential": "local/x"}, "Authorization"),
        ("date", {"X-Amz-Date": "now"}, "Authorization"),
        ("no date", {"X-Amz-Date": "20269999T000000Z"}, "Authorization"),
        ("other date", {"X-Amz-Date": "20260102T000000Z"}, "Authorization"),
        ("long", {"X-Amz-Expires": "604801"}, "Authorization"),
        ("a week", {"X-Amz-Expires": "604800"}, "SignatureDoesNotMatch"),
        (
            "of another service",
            {"X-Amz-Credential": "local/20260101/us-east-1/sts/aws4_request"},
            "Authorization",
        ),
        ("negative", {"X-Amz-Expires": "-1"}, "Authorization"),
        ("endless", {"X-Amz-Expires": None}, "Authorization"),
        ("no signature", {"X-Amz-Signature": None}, "Authorization"),
        ("nothing signed", {"X-Amz-SignedHeaders": ""}, "AccessDenied"),
        ("wrong", {}, "SignatureDoesNotMatch"),
    ):
        with case(case_name):
            given = {
                name: value for name, value in {**QUERY, **change}.items() if value is not None
            }
            query = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items())
            status, _, body = shared.send("GET", f"/{shared.bucket}/x?{query}", None, {})
            expected = "AuthorizationQueryParametersError" if code == "Authorization" else code
            assert f"<Code>{expected}</Code>".encode() in body
            assert status in (400, 403)


def test_malformed_headers(shared: Any, signed: Any) -> None:
    """Requests without a signature, or with another kind of signature, are rejected."""
    for case_name, change, code in (
        ("unsigned", {"Authorization": None}, "AccessDenied"),
        ("version 2", {"Authorization": "AWS AKID:sig"}, "InvalidRequest"),
        ("malformed", {"Authorization": "AWS4-HMAC-SHA256 x"}, "AuthorizationHeaderMalformed"),
        ("no date", {"X-Amz-Date": None}, "AccessDenied"),
        ("other date", {"X-Amz-Date": "20260102T000000Z"}, "AuthorizationHeaderMalformed"),
        ("no hash", {"X-Amz-Content-Sha256": None}, "InvalidRequest"),
        (
            "terminator",
            {
                "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/other, "
                "SignedHeaders=host, Signature=00"
            },
            "AuthorizationHeaderMalformed",
        ),
    ):
        with case(case_name):
            headers = {
                name: value for name, value in {**signed(), **change}.items() if value is not None
            }
            _, _, body = shared.send("GET", f"/{shared.bucket}/x", None, headers)
            assert f"<Code>{code}</Code>".encode() in body


def test_version_2_in_a_url(shared: Any) -> None:
    """A URL presigned with version 2 has its own error."""
    path = f"/{shared.bucket}/x?AWSAccessKeyId=A&Signature=B&Expires=1"
    assert b"AWS4-HMAC-SHA256" in shared.send("GET", path, None, {})[2]


def test_other_services_are_not_s3(shared: Any, signed: Any) -> None:
    """A request signed for another service does not go to S3, whatever its path."""
    headers = signed()
    headers["Authorization"] = headers["Authorization"].replace("/s3/", "/sts/")
    assert shared.send("GET", f"/{shared.bucket}/x", None, headers)[0] == 404
    headers["X-Amz-Target"] = "AmazonSSM.GetParameter"
    assert b"__type" in shared.send("POST", "/", b"{}", headers)[2]


class _Signer(S3SigV4Auth):  # type: ignore[misc]
    """Signs a given payload hash."""

    kind = "UNSIGNED-PAYLOAD"

    def payload(self, request: Any) -> str:
        return self.kind


def _signed_headers(
    shared: Any, method: str, path: str, headers: dict[str, str], kind: str = _Signer.kind
) -> dict[str, str]:
    request = AWSRequest(method, f"{shared.sandbox.url}{path}", headers=headers)
    signer = _Signer(Credentials("local", "local"), "s3", "us-east-1")
    signer.kind = kind
    signer.add_auth(request)
    return dict(request.headers.items())


def test_unsigned_header(shared: Any) -> None:
    """The signature must cover every header that S3 uses."""
    path = f"/{shared.bucket}/unsigned"
    # Of several spaces, the signature covers one.
    headers = _signed_headers(shared, "PUT", path, {"x-amz-meta-a": "b   c"})
    assert shared.send("PUT", path, b"x", headers)[0] == 200
    body = shared.send("PUT", path, b"x", {**headers, "x-amz-meta-b": "c"})[2]
    assert b"<HeadersNotSigned>x-amz-meta-b</HeadersNotSigned>" in body


def _chunked(verifier: ChunkVerifier | None, *pieces: bytes, trailer: str = "") -> bytes:
    """Return *pieces* as aws-chunked, signed if there is a *verifier*."""
    out = b""
    for piece in (*pieces, b""):
        mark = ""
        if verifier is not None:
            mark = f";chunk-signature={_next(verifier, hashlib.sha256(piece).hexdigest())}"
        out += f"{len(piece):x}{mark}\r\n".encode() + piece + (b"\r\n" if piece else b"")
    if trailer:
        out += f"{trailer}\r\n".encode()
        if verifier is not None:
            digest = hashlib.sha256(f"{trailer}\n".encode()).hexdigest()
            value = _next(verifier, digest, trailer=True)
            out += f"x-amz-trailer-signature:{value}\r\n".encode()
    return out + b"\r\n"


def _next(verifier: ChunkVerifier, digest: str, *, trailer: bool = False) -> str:
    empty = hashlib.sha256(b"").hexdigest()
    kind, digests = ("TRAILER", digest) if trailer else ("PAYLOAD", f"{empty}\n{digest}")
    text = f"AWS4-HMAC-SHA256-{kind}\n{verifier._prefix}\n{verifier._previous}\n{digests}"
    verifier._previous = hmac.new(verifier._key, text.encode(), "sha256").hexdigest()
    return verifier._previous


def test_signed_chunks(shared: Any) -> None:
    """The signatures of chunks are verified, each with the one before it."""
    for tamper in ("", "data", "trailer", "trailer signature"):
        for trailer in ("", "x-amz-checksum-crc32:NhCmhg=="):
            if tamper == "trailer signature" and not trailer:
                continue
            with case(tamper, trailer):
                path = f"/{shared.bucket}/chunks"
                kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
                given = {
                    "x-amz-decoded-content-length": "5",
                    "Content-Encoding": "aws-chunked",
                    **({"x-amz-trailer": "x-amz-checksum-crc32"} if trailer else {}),
                }
                headers = _signed_headers(shared, "PUT", path, given, kind)
                lowered = {name.lower(): value for name, value in headers.items()}
                request = _read("PUT", path, {**lowered, "host": f"127.0.0.1:{shared.port}"})
                signature = read_signature(request)
                verifier = verify(signature, "local", request, signature.signed_at)
                body = _chunked(verifier, b"hel", b"lo", trailer=trailer)
                if tamper == "data":
                    body = body.replace(b"hel", b"jel")
                if tamper == "trailer signature":
                    body = body.partition(b"x-amz-trailer-signature")[0] + b"\r\n"
                if tamper == "trailer":
                    body = body.replace(b"NhCmhg", b"NhCmhh").replace(
                        b"lo\r\n", b"lo\r\n" if trailer else b"ol\r\n"
                    )
                status, _, answer = shared.send("PUT", path, body, headers)
                if tamper:
                    assert (status, b"SignatureDoesNotMatch" in answer) == (403, True)
                    continue
                assert (status, answer) == (200, b"")
                got = shared.client().get_object(Bucket=shared.bucket, Key="chunks")
                assert got["Body"].read() == b"hello"
                assert "ContentEncoding" not in got
                assert got.get("ChecksumCRC32") == ("NhCmhg==" if trailer else None)


UNSIGNED = {
    "X_Amz_Content_Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x_amz_decoded_content_length": "5",
}
GOOD = _chunked(None, b"hel", b"lo", trailer="x-amz-checksum-crc32:NhCmhg==")


def test_unsigned_chunks_of_a_signed_request(shared: Any) -> None:
    """Chunks need no signature if the request says so, even if its own signature is verified."""
    path, kind = f"/{shared.bucket}/unsigned", UNSIGNED["X_Amz_Content_Sha256"]
    given = {"x-amz-decoded-content-length": "5", "x-amz-trailer": "x-amz-checksum-crc32"}
    headers = _signed_headers(shared, "PUT", path, given, kind)
    assert shared.send("PUT", path, GOOD, headers)[0] == 200


def test_unsigned_chunks(shared: Any, signed: Any) -> None:
    """Chunks are decoded and verified against headers and trailers."""
    for case_name, headers, body, code in (
        ("good", {}, GOOD, None),
        ("checksum", {}, GOOD.replace(b"NhCmhg", b"AAAAAA"), "BadDigest"),
        ("no checksum", {}, GOOD.replace(b"NhCmhg==", b"x"), "InvalidRequest"),
        ("no trailer", {}, _chunked(None, b"hello"), "InvalidRequest"),
        ("other trailer", {"x_amz_trailer": "x-other"}, GOOD, "InvalidRequest"),
        ("two checksums", {"x_amz_checksum_sha1": "A" * 27 + "="}, GOOD, "InvalidRequest"),
        ("unannounced", {"x_amz_trailer": None}, GOOD, "InvalidRequest"),
        ("too short", {"x_amz_decoded_content_length": "6"}, GOOD, "IncompleteBody"),
        ("too long", {"x_amz_decoded_content_length": "4"}, GOOD, "IncompleteBody"),
        ("length", {"x_amz_decoded_content_length": "x"}, GOOD, "MissingContentLength"),
        ("no size", {}, b"zz\r\n", "IncompleteBody"),
        ("broken off", {}, b"5\r\nhel", "IncompleteBody"),
        ("no line break", {}, GOOD.replace(b"hel\r\n", b"helxx"), "IncompleteBody"),
        (
            "signed",
            {},
            GOOD.replace(b"3\r\n", b"3;chunk-signature=" + b"0" * 64 + b"\r\n", 1),
            "IncompleteBody",
        ),
        (
            "not the announced trailer",
            {},
            GOOD.replace(b"crc32:NhCmhg==", b"sha1:" + b"A" * 27 + b"="),
            "InvalidRequest",
        ),
        ("chunk too long", {}, b"3\r\nhello\r\n", "IncompleteBody"),
        ("more after it", {}, GOOD + b"more", "IncompleteBody"),
        ("trailer", {}, b"0\r\nbad trailer\r\n\r\n", "IncompleteBody"),
        ("twice", {}, GOOD[:-2] + b"x-amz-checksum-crc32:NhCmhg==\r\n\r\n", "IncompleteBody"),
        (
            "not signed",
            {"X_Amz_Content_Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
            GOOD,
            "IncompleteBody",
        ),
    ):
        with case(case_name):
            given = {**UNSIGNED, "x_amz_trailer": "x-amz-checksum-crc32", **headers}
            sent = signed(**{name: value for name, value in given.items() if value is not None})
            before = shared.files()
            status, _, answer = shared.send("PUT", f"/{shared.bucket}/unsigned-chunks", body, sent)
            if code is None:
                assert status == 200
                continue
            assert f"<Code>{code}</Code>".encode() in answer
            assert shared.files() == before
