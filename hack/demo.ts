/** `npm run demo`: what the operator does, on a control plane of this machine or on a cluster of yours. */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CommandError, EXIT_USAGE, runMain } from './control-plane/command-error.ts';
import { endDemo } from './demo/down.ts';
import { KEPT_DIRECTORY } from './demo/place.ts';
import { type DemoOptions, runDemo } from './demo/run.ts';

const USAGE = `usage: npm run demo [-- [--keep] [--context NAME] [--dir DIR]]
       npm run demo -- --down [--dir DIR]

Starts a control plane on 127.0.0.1, installs the chart, runs the operator with the rights that the chart gives, applies
examples/swarm, and shows what becomes of it. Ends by itself and leaves nothing behind.

--keep           everything goes on in the background; prints the export of KUBECONFIG
--down           ends what --keep left, and removes it
--context NAME   on the cluster of that context of your kubeconfig. The operator runs as a process of this machine with
                 a token of the chart's ServiceAccount. What the demo made is removed in the end: release, namespaces
                 agent-trust-system and ai-agents, and the kinds of agenttrust.dev if they were not there before. Refuses
                 when a release agent-trust, one of these namespaces, or only some of the kinds exist.
--dir DIR        a new or empty folder for all files (default with --keep: ${KEPT_DIRECTORY})

Needs openssl, and Go the first time. Exit status: 0 all went as it should, 1 a step failed, 64 wrong usage, 69 a
program is missing.
`;

await runMain(async () => {
  const { command, options } = readArguments();
  if (command === 'demo') return runDemo(options);
  if (command === 'down') return endDemo(options.directory ?? KEPT_DIRECTORY);
  process.stdout.write(USAGE);
  return 0;
});

interface Arguments {
  readonly command: 'demo' | 'down' | 'help';
  readonly options: DemoOptions;
}

function readArguments(): Arguments {
  const options = {
    keep: { type: 'boolean' },
    down: { type: 'boolean' },
    context: { type: 'string' },
    dir: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { keep = false, down = false, context, dir, help } = parseArgs({ options }).values;
    if (context === '' || dir === '') throw new Error('--context and --dir need a value');
    if (down && (keep || context !== undefined)) throw new Error('--down goes with --dir only');
    const directory = dir === undefined ? undefined : resolve(dir);
    const command = help === true ? 'help' : down ? 'down' : 'demo';
    return { command, options: { keep, context, directory } };
  } catch (error) {
    throw new CommandError('USAGE', `${(error as Error).message}\n\n${USAGE}`, EXIT_USAGE);
  }
}
