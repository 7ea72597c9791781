"""The official Python SDK against a running Nightshift: upload, upload in parts, create, poll, download, delete, paging, errors.

Usage: sdk.py BASE_URL API_KEY. Prints one JSON object with what it saw; fails with a traceback on the first surprise.
"""

import hashlib
import json
import pathlib
import sys
import tempfile
import time

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2])


def chat_line(custom_id, content):
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": content}]}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body})


def create(file_id, **options):
    return client.batches.create(
        input_file_id=file_id, endpoint="/v1/chat/completions", completion_window="24h", **options
    )


def finished(batch_id):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        batch = client.batches.retrieve(batch_id)
        if batch.status in ("completed", "failed", "cancelled", "expired"):
            return batch
        time.sleep(0.1)
    raise TimeoutError(batch_id)


def refused(error_class, call):
    try:
        call()
    except error_class as error:
        return error.status_code
    raise AssertionError(f"no {error_class.__name__}")


# Bare bytes: the SDK names such a file "upload".
uploaded = client.files.create(file=(chat_line("a", "One?") + "\n" + chat_line("b", "Two?")).encode(), purpose="batch")
client.files.wait_for_processing(uploaded.id)
batch = finished(create(uploaded.id, metadata={"job": "nightly"}).id)
lines = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
deleted = client.files.delete(uploaded.id)

# In four parts and more, one after the other; each but the last has 100 bytes.
parts_text = "".join(chat_line(str(number), "Q?") + "\n" for number in range(3)).encode()
with tempfile.TemporaryDirectory() as folder:
    parts_path = pathlib.Path(folder) / "chunked.jsonl"
    parts_path.write_bytes(parts_text)
    chunked = client.uploads.upload_file_chunked(
        file=parts_path,
        mime_type="application/jsonl",
        purpose="batch",
        part_size=100,
        md5=hashlib.md5(parts_text).hexdigest(),
    )
chunked_batch = finished(create(chunked.file.id).id)

many = [create(client.files.create(file=("page.jsonl", chat_line("x", "?").encode()), purpose="batch").id) for _ in range(25)]
listed_batches = [one.id for one in client.batches.list(limit=10)]
listed_files = [one.id for one in client.files.list(limit=10, purpose="batch")]
assert {one.id for one in many} <= set(listed_batches)
assert {one.input_file_id for one in many} <= set(listed_files)

# The SDK sends a cancel without a body but with a JSON content type. So many lines take seconds: a few would be done before.
long_text = "".join(chat_line(str(number), "?") + "\n" for number in range(20_000)).encode()
long_file = client.files.create(file=("long.jsonl", long_text), purpose="batch")
cancelled = client.batches.cancel(create(long_file.id).id)

stranger = openai.OpenAI(base_url=sys.argv[1], api_key="sk-wrong")
print(
    json.dumps(
        {
            "file": uploaded.to_dict(),
            "batch": batch.to_dict(),
            "custom_ids": [line["custom_id"] for line in lines],
            "deleted": deleted.deleted,
            "chunked": chunked.to_dict(),
            "chunked_is_whole": client.files.content(chunked.file.id).content == parts_text,
            "chunked_batch": chunked_batch.to_dict(),
            "listed_twice": len(listed_batches) - len(set(listed_batches)) + len(listed_files) - len(set(listed_files)),
            "statuses_after_cancel": [cancelled.status, finished(cancelled.id).status],
            "statuses": {
                "deleted_file": refused(openai.NotFoundError, lambda: client.files.retrieve(uploaded.id)),
                "wrong_key": refused(openai.AuthenticationError, stranger.batches.list),
                "cancel_completed": refused(openai.ConflictError, lambda: client.batches.cancel(batch.id)),
            },
        }
    )
)
