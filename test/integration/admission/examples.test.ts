/** What we show people to apply is admitted, tried and applied, whatever the order of files. */

import { join } from 'node:path';
import { expect } from 'chai';
import { useAdmissionCluster } from '../../support/admission/admission-cluster.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples');
const AGENTS = 'ai-agents';

describe('kubectl apply of the examples folder', () => {
  const cluster = useAdmissionCluster({ governed: [AGENTS] });
  const apply = (
    ...flags: readonly string[]
  ): ReturnType<ReturnType<typeof cluster>['controlPlane']['kubectl']> =>
    cluster().controlPlane.kubectl(['apply', '--recursive', `--filename=${EXAMPLES}`, ...flags]);

  it('is only tried with --dry-run=server, and nothing is stored', async () => {
    const { stdout } = await apply('--dry-run=server');
    expect(
      stdout
        .trim()
        .split('\n')
        .every((line) => line.endsWith(' (server dry run)')),
    ).to.equal(true);
    const { stdout: stored } = await cluster().controlPlane.kubectl(['get', 'aid,dp', '-A', '-o', 'name']);
    expect(stored).to.equal('');
  });

  it('is admitted, with nothing to warn of once it is whole', async () => {
    await apply();
    const { stdout, stderr } = await apply();
    expect(stderr).to.equal('');
    expect(
      stdout
        .trim()
        .split('\n')
        .every((line) => line.endsWith(' unchanged')),
    ).to.equal(true);
  });
});
