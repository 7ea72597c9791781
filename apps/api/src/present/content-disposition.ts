/** The header that names a download: contract §1.1. */

/**
 * `attachment; filename="…"`, always in quotes. What is not plain ASCII, line breaks among it, is a `?` there and exact in
 * a `filename*` beside it (RFC 6266), which every browser prefers.
 */
export function contentDisposition(filename: string): string {
  const plain = filename.replaceAll(/[^ -~]/gu, "?");
  const quoted = `attachment; filename="${plain.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return plain === filename ? quoted : `${quoted}; filename*=UTF-8''${encode(filename)}`;
}

/** As a URI component, less the four signs that RFC 8187 wants encoded too. */
function encode(filename: string): string {
  return encodeURIComponent(filename).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}
