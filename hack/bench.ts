/** `npm run bench`: figures of this machine, each beside the least that the machine could do. */

import { parseArgs } from 'node:util';
import { type BenchRow, printRows, writeRows } from './bench/row.ts';
import { CommandError, EXIT_USAGE, runMain } from './control-plane/command-error.ts';

/** Name, and what runs it. Modules are loaded when needed. */
const BENCHES: Readonly<Record<string, (count: number | undefined) => Promise<readonly BenchRow[]>>> = {
  identities: async (count = 1_000) => (await import('./bench/identities.ts')).benchIdentities({ count }),
  graph: async (count = 10_000) => (await import('./bench/graph.ts')).benchGraph({ count }),
  bundles: async (count = 10_000) => (await import('./bench/bundles.ts')).benchBundles({ count }),
  policies: async (count = 1_000) => (await import('./bench/policies.ts')).benchPolicies({ count }),
  reactions: async (count = 100) => (await import('./bench/reactions.ts')).benchReactions({ count }),
  rotation: async (count = 1_000) => (await import('./bench/rotation.ts')).benchRotation({ count }),
  admission: async (count = 10_000) => (await import('./bench/admission.ts')).benchAdmission({ count }),
  tokens: async (count = 4_000) => (await import('./bench/tokens.ts')).benchTokens({ count }),
  'leaf-issuance': async (count = 5_000) =>
    (await import('./bench/leaf-issuance-rows.ts')).leafIssuanceRows({ count }),
};

const USAGE = `usage: npm run bench [-- NAME] [--count N] [--json FILE]

NAME     ${Object.keys(BENCHES).join(' or ')}; default is all of them
--count  how many identities, agents, policies, tokens or leaves
--json   write the rows to FILE: an array of {name, value, unit, floor?, ratio?, goal?}
`;

await runMain(async () => {
  const { names, count, json, help } = readArguments();
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const rows: BenchRow[] = [];
  for (const name of names) rows.push(...((await BENCHES[name]?.(count)) ?? []));
  printRows(rows);
  if (json !== undefined) await writeRows(json, rows);
  return 0;
});

interface Arguments {
  readonly names: readonly string[];
  readonly count: number | undefined;
  readonly json: string | undefined;
  readonly help: boolean;
}

function readArguments(): Arguments {
  const options = {
    count: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
    if (unknown !== undefined) throw new Error(`there is no bench ${unknown}`);
    const count = values.count === undefined ? undefined : Number(values.count);
    if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 100_000)) {
      throw new Error('--count must be 1 to 100000');
    }
    const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
    return { names, count, json: values.json, help: values.help === true };
  } catch (error) {
    throw new CommandError('USAGE', `${(error as Error).message}\n\n${USAGE}`, EXIT_USAGE);
  }
}
