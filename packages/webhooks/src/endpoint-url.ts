/** What the URL of an endpoint may look like, as far as the text tells; where its name leads is looked at with each connection. */
import { isIP } from "node:net";
import { isPublicAddress } from "./public-address.ts";

const MAX_LENGTH = 2_048;

/** What is wrong with a URL, as the rest of a sentence that says what to change; null where nothing is. Any port is fine. */
export function findUrlFault(url: string, options: { readonly allowPrivate: boolean }): string | null {
  if (url.length > MAX_LENGTH) return `the URL must not be longer than ${String(MAX_LENGTH)} characters`;
  // Kept to visible ASCII, so that what is shown is what is called.
  if (!/^[!-~]+$/.test(url) || !URL.canParse(url))
    return "it must be an absolute URL, such as https://example.com/hook";
  const { protocol, username, password, hostname } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return "the URL must begin with https:// or http://";
  if (username !== "" || password !== "") return "the URL must not have a user name or password in it";
  if (!options.allowPrivate && isLocal(hostname)) {
    return `${hostname} is an address of this machine or of a private network; NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE=true allows those`;
  }
  return null;
}

/** True for names and literal addresses that cannot be public. `hostname` is as the URL parser spells it: 0x7f.1 is 127.0.0.1. */
function isLocal(hostname: string): boolean {
  const address = literalAddress(hostname);
  if (address !== null) return !isPublicAddress(address);
  // RFC 6761: all names below localhost are this machine.
  return /(^|\.)localhost\.?$/i.test(hostname);
}

/** The address that a hostname of a URL is, without the brackets of IPv6; null where it is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? null : bare;
}
