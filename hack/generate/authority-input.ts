/** Reference page of what may be given as an authority: the rows of the test, with what is said to each. */

import { givenRecord, judgeGiven } from '../../src/controllers/authority/given-record.ts';
import { MIN_GIVEN_LIFE_MS } from '../../src/domain/authority/given.ts';
import { GIVEN_REASONS } from '../../src/domain/authority/given-refusal.ts';
import { GIVEN_NOW_MS } from '../../test/support/authority/given-ca.ts';
import { GIVEN_REFUSED, GIVEN_TAKEN, type GivenRow } from '../../test/support/authority/given-rows.ts';

const REQUIRED = {
  trustDomain: 'cluster.local',
  clusterDomain: 'cluster.local',
  nowMs: GIVEN_NOW_MS,
  minLifeMs: MIN_GIVEN_LIFE_MS,
} as const;

/** docs/reference/authority-input.md. */
export async function authorityInput(): Promise<ReadonlyMap<string, string>> {
  const rules = Object.entries(GIVEN_REASONS).map(([reason, { rule }]) => `| ${reason} | ${cell(rule)} |`);
  const refused = GIVEN_REFUSED.map((row) => `| ${cell(row.name)} | ${row.reason} | ${cell(saidTo(row))} |`);
  const page = `# What may be given as an authority

Generated from \`test/support/authority/given-rows.ts\` by \`npm run generate\`; \`given-record.test.ts\` asks every row, and
\`openssl verify -x509_strict\` of what those that are taken sign. How an authority is given is in
[authority.md](../authority.md).

The Secret has type \`kubernetes.io/tls\`. \`tls.crt\` holds the certificate that is to sign, then whatever stands between it and
its root, then the root, unless that is in \`ca.crt\`. \`tls.key\` holds its key. Agents trust the root alone; the
certificates before it go into the \`tls.crt\` of every agent.

## Rules

All of them are checked, in this order. The first that does not hold is said, as reason and message, in
ConfigMap \`agent-trust-authority-state\` and as an event; what was in use until then stays in use.

| reason | rule |
|---|---|
${rules.join('\n')}

## Taken

${GIVEN_TAKEN.map(({ name }) => `- ${name}`).join('\n')}

## Refused

The trust domain is \`cluster.local\`, and so is the domain of the cluster; it is the beginning of 2026.

| given | reason | what is said |
|---|---|---|
${refused.join('\n')}
`;
  return new Map([['docs/reference/authority-input.md', page]]);
}

function saidTo({ secret, generations = [], refused = new Map() }: GivenRow): string {
  const made = secret();
  const among = { generations, retiring: new Set<string>(), refused };
  const given = judgeGiven(made && givenRecord(made), REQUIRED, among);
  if (given.kind !== 'refuse') throw new Error('a row that should be refused is taken');
  // Of a key that is made for each run.
  return `${given.message.replace(/[0-9a-f]{16}/, '0123456789abcdef')}.`;
}

/** Text that Markdown leaves as it is. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');
}
