/** Validates the text of an endpoint's URL. The addresses of its host name are checked for each connection. */
import { isIP } from "node:net";
import { isPublicAddress } from "./public-address.ts";

const MAX_LENGTH = 2_048;

/** Returns what to change in a URL, as part of a sentence, or null if the URL is valid. Any port is allowed. */
export function findUrlFault(url: string, options: { readonly allowPrivate: boolean }): string | null {
  if (url.length > MAX_LENGTH) return `the URL must not be longer than ${String(MAX_LENGTH)} characters`;
  // Only visible ASCII, so that the displayed URL is the one that is called.
  if (!/^[!-~]+$/.test(url) || !URL.canParse(url))
    return "it must be an absolute URL, such as https://example.com/hook";
  const { protocol, username, password, hostname } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return "the URL must begin with https:// or http://";
  if (username !== "" || password !== "") return "the URL must not contain a user name or password";
  if (!options.allowPrivate && isLocal(hostname)) {
    return `${hostname} is an address of this machine or of a private network; NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE=true allows those`;
  }
  return null;
}

/** Reports whether a host cannot be public. The URL parser has already normalized it: 0x7f.1 is 127.0.0.1. */
function isLocal(hostname: string): boolean {
  const address = literalAddress(hostname);
  if (address !== null) return !isPublicAddress(address);
  // RFC 6761: all names below localhost mean this machine.
  return /(^|\.)localhost\.?$/i.test(hostname);
}

/** Returns the IP address in a URL's hostname, without the brackets of IPv6, or null if the hostname is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(bare) === 0 ? null : bare;
}
