"""Verifies one webhook by the official SDK. Arguments: the secret, the body, the headers as JSON. Prints the event's type and batch."""

import json
import sys

from openai import OpenAI

secret, body, headers = sys.argv[1:]
event = OpenAI(api_key="none").webhooks.unwrap(body, json.loads(headers), secret=secret)
print(json.dumps([event.type, event.data.id]))
