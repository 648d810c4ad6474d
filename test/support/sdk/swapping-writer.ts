/**
 * A process that swaps the folder of an agent as fast as it can. In every generation all files say the same number: the
 * instant from which a key counts, the longest life of a token, the instant before which tokens are dead; certificate and
 * signing key are new each time.
 *
 * Prints the folder, waits for a line, swaps so often as its argument says, and prints the last number.
 */

import { createInterface } from 'node:readline';
import { LocalSwarm } from './agent-folder.ts';
import { swapFolder } from './mounted-folder.ts';

const NAME = 'agent-coordinator';
const swaps = Number(process.argv[2]);
const swarm = new LocalSwarm({ agents: [{ name: NAME }], edges: [] });

function write(generation: number): void {
  swarm.renewCertificate(NAME);
  swarm.keys(NAME).replace();
  swarm.revocations = { ...swarm.revocations, notBefore: new Map([[swarm.id(NAME), generation]]) };
  swarm.sequence += 1;
  const { 'bundle/policy.json': policy = '', 'bundle/jwks.json': jwks = '' } = swarm.files(NAME);
  const since = /"since":\d+/;
  const port = /"port":\d+/;
  const bundle = {
    'policy.json': policy.toString().replace(port, `"port":${1 + (generation % 65_535)}`),
    'jwks.json': jwks.toString().replace(since, `"since":${generation}`),
  };
  swapFolder(swarm.folder(NAME), swarm.files(NAME, { bundle }));
}

write(0);
process.stdout.write(`${swarm.folder(NAME)}\n`);
const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  for (let generation = 1; generation <= swaps; generation++) write(generation);
  process.stdout.write(`${swaps}\n`);
});
// Whoever started this process reads the last generation before it ends the input.
lines.on('close', () => swarm.close());
