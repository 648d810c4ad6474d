/** Reference page of everything for which the answer of an issuer is refused, from the table in src/domain/issuance. */

import { ISSUER_FINDINGS } from '../../src/domain/issuance/findings.ts';

/** docs/reference/issuer-input.md. */
export async function issuerInputPage(): Promise<ReadonlyMap<string, string>> {
  const rows = Object.entries(ISSUER_FINDINGS).map(
    ([finding, { means, wayOut }]) => `| \`${finding}\` | ${means} | ${wayOut} |`,
  );
  const page = `# What an issuer may hand back

Generated from \`src/domain/issuance/findings.ts\` by \`npm run generate\`.

An issuer of cert-manager is asked for one certificate, and what it returns is compared with that ([cert-manager.md](../cert-manager.md)).
Anything that differs is refused as a whole: nothing of it reaches a Secret, the request is deleted, and another follows, 5 s
later at first and at most 5 minutes later, with another key. The condition Ready is False meanwhile, with reason
IssuerAnswerRefused, or IssuerCAUnknown when all is well but the CA; its message names every finding, in this order.

| finding | what the issuer did | way out |
|---|---|---|
${rows.join('\n')}

An answer of more than 500,000 characters of base64 is cut there, and unreadable.
`;
  return new Map([['docs/reference/issuer-input.md', page]]);
}
