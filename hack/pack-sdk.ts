/** `npm run pack`: makes the package that authors of agents install, and prints where it is. */

import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './checks.ts';
import { CommandError, EXIT_USAGE, runMain } from './control-plane/command-error.ts';
import { packSdk } from './sdk-package/pack.ts';

const USAGE = `usage: npm run pack [-- [--out DIR]]

Compiles the SDK and the command agent-trust, and packs them with what they need and nothing else: no Kubernetes client.

--out DIR   a folder for the tarball (default dist)

Exit status: 0 it is there, 1 it could not be made, 64 wrong usage.
`;

await runMain(async () => {
  const { out, help } = readArguments();
  if (help) process.stdout.write(USAGE);
  else process.stdout.write(`${relative(process.cwd(), await packSdk(out))}\n`);
  return 0;
});

function readArguments(): { readonly out: string; readonly help: boolean } {
  const options = { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { out = join(ROOT, 'dist'), help = false } = parseArgs({ options }).values;
    return { out: resolve(out), help };
  } catch (error) {
    throw new CommandError('USAGE', `${(error as Error).message}\n\n${USAGE}`, EXIT_USAGE);
  }
}
