"""What is asked of buckets themselves; the outputs file makes them, so nothing here changes any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3.context import iso, reply
from seedctl.local.s3.documents import document, element

if TYPE_CHECKING:
    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context


def list_buckets(call: Context) -> Response:
    call.check_is_developer()
    buckets = [
        element("Bucket", [element("Name", name), element("CreationDate", iso(0))])
        for name in sorted(call.room.buckets)
    ]
    content = (element("Owner", [element("ID", ACCOUNT)]), element("Buckets", buckets))
    return reply(body=document("ListAllMyBucketsResult", content))


def head_bucket(call: Context) -> Response:
    call.check_is_developer()
    return reply(headers=(("x-amz-bucket-region", call.bucket.region),))


def get_bucket_location(call: Context) -> Response:
    call.check_is_developer()
    # The first region has no name here, for as long as there has been S3.
    region = "" if call.bucket.region == "us-east-1" else call.bucket.region
    return reply(body=document("LocationConstraint", (region,)))
