/** Builds the Content-Disposition header of a download: contract §1.1. */

/**
 * Returns `attachment; filename="…"`, with the name always in quotes. Characters outside printable ASCII become `?`
 * there, and the exact name follows in `filename*` (RFC 6266), which every browser prefers.
 */
export function contentDisposition(filename: string): string {
  const plain = filename.replaceAll(/[^ -~]/gu, "?");
  const quoted = `attachment; filename="${plain.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return plain === filename ? quoted : `${quoted}; filename*=UTF-8''${encode(filename)}`;
}

/** Encodes like a URI component, plus four characters that RFC 8187 also requires to be encoded. */
function encode(filename: string): string {
  return encodeURIComponent(filename).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
}
