"""Walks all files and batches by the official Python SDK's own paging. Usage: paging.py BASE_URL API_KEY. Prints their ids as JSON."""

import json
import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2])
print(
    json.dumps(
        {
            "files": [one.id for one in client.files.list(purpose="batch", limit=30)],
            "oldest_first": [one.id for one in client.files.list(purpose="batch", limit=30, order="asc")],
            "all_at_once": [one.id for one in client.files.list(purpose="batch")],
            "batches": [one.id for one in client.batches.list(limit=7)],
            "batches_by_default": [one.id for one in client.batches.list()],
        }
    )
)
