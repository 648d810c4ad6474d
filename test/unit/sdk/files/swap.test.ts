import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { AgentDirectory } from '../../../../src/sdk/files/agent-directory.ts';
import type { AgentFiles } from '../../../../src/sdk/files/agent-files.ts';

const WRITER = new URL('../../../support/sdk/swapping-writer.ts', import.meta.url).pathname;
const SWAPS = 2000;
/** A file system in memory, as that of a pod's volume is. */
const MEMORY = '/dev/shm';

/** The generation that each part of a reading says it is of; -1 when it is of none that the key is of. */
function generationsOf({ identity, signer, bundle }: AgentFiles): Record<string, number> {
  if (bundle === undefined) throw new Error('there was a reading without a bundle');
  const { issuers, revocations } = bundle.state;
  const ofKeys = issuers.get(identity)?.get(signer.kid)?.since ?? -1;
  const isOfKeys =
    revocations.isFromBefore(identity, ofKeys) && !revocations.isFromBefore(identity, ofKeys + 1);
  const ofPolicy = (bundle.policy.agents.get(identity)?.server?.port ?? 0) - 1;
  return { ofKeys, ofPolicy, ofRevocations: isOfKeys ? ofKeys : -1 };
}

describe('AgentDirectory while its folder is swapped', () => {
  it(`sees no mix and nothing older, in ${SWAPS} swaps by another process`, async () => {
    const env = existsSync(MEMORY) ? { ...process.env, TMPDIR: MEMORY } : process.env;
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const writer = spawn(process.execPath, [WRITER, String(SWAPS)], { env, stdio: [...stdio] });
    const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
    const folder = String((await lines.next()).value);
    const directory = await AgentDirectory.open(folder, { pollMs: 3_600_000 });
    const seen: AgentFiles[] = [];
    const problems = new Set<string>();
    directory.onChange(() => seen.push(directory.current));
    directory.onProblem(({ code }) => problems.add(code));
    let isWriting = true;
    const reading = (async () => {
      while (isWriting) await directory.reload();
    })();
    try {
      writer.stdin.write('go\n');
      const last = Number((await lines.next()).value);
      isWriting = false;
      await reading;
      await directory.reload();
      for (const files of seen) {
        const generations = generationsOf(files);
        expect(new Set(Object.values(generations)).size, JSON.stringify(generations)).to.equal(1);
      }
      const sequences = seen.map(({ bundle }) => bundle?.claims.sequence ?? 0);
      expect(sequences).to.deep.equal(sequences.toSorted((a, b) => a - b));
      expect(generationsOf(directory.current)['ofKeys']).to.equal(last);
      expect([...problems].filter((code) => code !== 'folder_changing')).to.deep.equal([]);
      expect(seen.length).to.be.above(SWAPS / 100);
    } finally {
      isWriting = false;
      directory.close();
      writer.stdin.end();
      await once(writer, 'exit');
    }
  });
});
