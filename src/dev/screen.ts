/** What `agent-trust dev` shows. */

import { relative } from 'node:path';
import type { AgentId } from '../domain/delegation/facts.ts';
import type { Applied } from './apply.ts';
import type { Address } from './bundles.ts';
import type { KeptAgent } from './keeper.ts';

/** The first words: all agents, where their files are, and how to start one. */
export function swarmText(
  agents: readonly KeptAgent[],
  addresses: ReadonlyMap<AgentId, Address>,
  folder: string,
): string {
  const served = agents.filter(({ withheld }) => withheld === undefined);
  const rows = agents.map(({ id, spiffeId, directory, withheld }) => {
    const address = addresses.get(id);
    const files = withheld ?? relative('', directory);
    return [
      id,
      spiffeId,
      ...(addresses.size === 0 ? [] : [address ? `${address.host}:${address.port}` : '']),
      files,
    ];
  });
  const head = ['AGENT', 'SPIFFE ID', ...(addresses.size === 0 ? [] : ['LISTENS']), 'AGENT_TRUST_DIR'];
  const [first] = served;
  const start =
    first === undefined ? [] : [`start an agent:  AGENT_TRUST_DIR=${first.directory} node agent.ts`];
  return [...table([head, ...rows]), '', ...start, `authority, keys and files: ${folder}`].join('\n');
}

/** What was left out, what was refused, what is worth knowing; each once. */
export function appliedLines({ refusals, warnings, passedOver }: Applied): readonly string[] {
  const kinds = [...passedOver].map(([kind, count]) => `${count} ${kind}`);
  return [
    ...(kinds.length === 0 ? [] : [`passed over: ${kinds.join(', ')}`]),
    ...warnings.map((text) => `Warning: ${text}`),
    ...refusals,
  ];
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    ` ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
