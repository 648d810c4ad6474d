/** Forms of the texts in tokens, proofs and the files that verifiers read. */

/** `parseAgentSpiffeId` in one expression, because five of them stand in a token. */
const AGENT_ID =
  /^spiffe:\/\/[a-z0-9._-]{1,255}\/ns\/(?!\.{1,2}\/)[A-Za-z0-9._-]+\/sa\/(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
const MAX_AGENT_ID_LENGTH = 2048;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const ISSUER_URL = /^https:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~-]+)*\/?$/;
const PRINTABLE = /^[ -~]{1,255}$/;
const SPIFFE_SCHEME = /^spiffe:/i;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_URL_LENGTH = 512;

/** A SPIFFE ID of the form that agents have. */
export function isAgentId(text: string): boolean {
  return text.length <= MAX_AGENT_ID_LENGTH && AGENT_ID.test(text);
}

/** The https URL of an issuer, without query and fragment; RFC 8414 section 2. Compared byte for byte. */
export function isIssuerUrl(text: string): boolean {
  return text.length <= MAX_URL_LENGTH && ISSUER_URL.test(text);
}

/** An agent, or the token service. */
export function isTokenIssuer(text: string): boolean {
  return text.startsWith('https:') ? isIssuerUrl(text) : isAgentId(text);
}

/** An agent, or the `sub` of a user, which is never mistaken for an agent; OpenID Connect Core, section 2. */
export function isPrincipal(text: string): boolean {
  return SPIFFE_SCHEME.test(text) ? isAgentId(text) : isPrintable(text);
}

/** 1 to 255 printable ASCII characters. */
export function isPrintable(text: string): boolean {
  return PRINTABLE.test(text);
}

/** UUID version 7 in lower case; RFC 9562 section 5.7. */
export function isUuidV7(text: string): boolean {
  return UUID_V7.test(text);
}

/** base64url of 32 octets, without padding and with no bit to spare; RFC 4648 sections 3.5 and 5. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** A `kid`. Ours are thumbprints; another is found under no issuer. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}
