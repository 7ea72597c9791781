/** What the benchmarks' upstream answers with: whole HTTP replies, made once. */

export type ReplyKind = "chat" | "embedding";

/** `text-embedding-3-small` and its predecessors. */
const EMBEDDING_NUMBERS = 1_536;

/** Headers and body. */
export function replyOf(kind: ReplyKind): Buffer {
  const body = JSON.stringify(kind === "chat" ? chatCompletion() : embedding());
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_benchmark\r\n` +
      `content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
}

function chatCompletion(): unknown {
  return {
    id: "chatcmpl-benchmark",
    object: "chat.completion",
    created: 1_735_689_600,
    model: "benchmark",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "An answer of the usual length for a label." },
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 },
  };
}

/** As many digits as OpenAI's have: 33 KB. */
function embedding(): unknown {
  const numbers = Array.from({ length: EMBEDDING_NUMBERS }, (_, i) => Math.sin(i + 1) / 40);
  return {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: numbers }],
    model: "benchmark",
    usage: { prompt_tokens: 8, total_tokens: 8 },
  };
}
