"""Checks that schemathesis makes on each reply besides its own, and a block for webhooks. See fuzzed-requests.ts."""

import json
import re
from urllib.parse import urlsplit, urlunsplit

import schemathesis

REQUEST_ID = re.compile(r"^req_[0-9a-f]{32}$")

# Seconds for a reply on a busy machine. A wait that the request asks for is added.
IN_TIME = 10
# The timeout of one delivery, in seconds.
WEBHOOK_TEST = 10


@schemathesis.check
def has_request_id(ctx, response, case):
    ids = response.headers.get("x-request-id") or []
    assert len(ids) == 1 and REQUEST_ID.match(ids[0]), f"x-request-id is {ids}"


@schemathesis.check
def refuses_in_envelope(ctx, response, case):
    # Two errors are documented without the envelope: a 416 has no body, and /readyz is for load balancers.
    if response.status_code < 400 or response.status_code == 416 or case.operation.path == "/readyz":
        return
    if response.request.method == "HEAD":
        return
    body = json.loads(response.content)
    assert set(body) <= {"error", "detail"}, f"not the envelope: {body}"
    assert list(body["error"]) == ["message", "type", "param", "code"], f"not the envelope: {body}"


@schemathesis.check
def comes_in_time(ctx, response, case):
    wait = 0
    if case.operation.path.endswith("/results"):
        wait = asked_wait(case.query)
    elif case.operation.path.endswith("/test"):
        wait = WEBHOOK_TEST
    assert response.elapsed <= IN_TIME + wait, f"{response.elapsed} s"


def asked_wait(query):
    """Returns the `wait` of a request for results, at most the 30 s that are accepted."""
    try:
        return min(30, max(0, float((query or {}).get("wait", 0))))
    except (TypeError, ValueError):
        return 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Keeps webhooks of made-up endpoints on this machine: `.invalid` is never a valid host (RFC 2606)."""
    if case.operation.path == "/admin/v1/webhooks" and isinstance(case.body, dict):
        url = case.body.get("url")
        if isinstance(url, str):
            case.body = {**case.body, "url": without_host(url)}


def without_host(url):
    try:
        parts = urlsplit(url)
    except ValueError:
        return "https://webhooks.invalid/"
    return urlunsplit(parts._replace(netloc="webhooks.invalid")) if parts.netloc else url
