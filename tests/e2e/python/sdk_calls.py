"""Makes calls with the official Python SDK for another program. Reads and writes one JSON object per line.

Usage: sdk_calls.py BASE_URL... Calls go to the base URLs in turn. A call is {"call": "files.list", "key": API_KEY,
"args": [...], "kwargs": {...}}, with {"$bytes": BASE64, "name": NAME or null} or {"$path": PATH} for a file. The answer
has the result of the SDK or the fields of its exception, all replies on the wire, and the seconds that the SDK would
have waited between the replies. The script skips these waits.
"""

import base64
import functools
import itertools
import json
import pathlib
import sys
import time
import traceback

import openai

waits = []
replies = []
time.sleep = waits.append


def note(response):
    replies.append({"status": response.status_code, "headers": {k.lower(): v for k, v in response.headers.items()}})


http = openai.DefaultHttpxClient(event_hooks={"response": [note]})
urls = itertools.cycle(sys.argv[1:])


@functools.cache
def client_of(url, key):
    return openai.OpenAI(base_url=url, api_key=key, http_client=http)


def decoded(found):
    """Returns values that JSON cannot express: files, with or without a name, and arguments that are left out."""
    if "$bytes" in found:
        content = base64.b64decode(found["$bytes"])
        return content if found["name"] is None else (found["name"], content)
    if "$path" in found:
        return pathlib.Path(found["$path"])
    return openai.omit if "$omit" in found else found


def walk(client, resource, kwargs):
    """Returns all ids of a list, read with the SDK's own paging."""
    return {"ids": [one.id for one in getattr(client, resource).list(**kwargs)]}


def result_of(client, call, args, kwargs):
    if call == "walk":
        return {"json": walk(client, *args, kwargs)}
    result = functools.reduce(getattr, call.split("."), client)(*args, **kwargs)
    if hasattr(result, "to_dict"):
        return {"json": result.to_dict(mode="json", warnings=False), "requestId": getattr(result, "_request_id", None)}
    return {
        "bytes": base64.b64encode(result.content).decode(),
        "requestId": result.response.headers.get("x-request-id"),
    }


def refusal_of(error):
    return {
        "requestId": error.request_id,
        "refusal": {
            "exception": type(error).__name__,
            "status": error.status_code,
            "type": error.type,
            "code": error.code,
            "param": error.param,
            "message": error.body["message"],
        },
    }


def answer(call, key, args, kwargs):
    waits.clear()
    replies.clear()
    try:
        outcome = result_of(client_of(next(urls), key), call, args, kwargs)
    except openai.APIStatusError as error:
        outcome = refusal_of(error)
    except Exception:
        return {"fault": traceback.format_exc()}
    return {"json": None, "bytes": None, "refusal": None, "requestId": None, **outcome, "replies": replies, "waits": waits}


for line in sys.stdin:
    print(json.dumps(answer(**json.loads(line, object_hook=decoded))), flush=True)
