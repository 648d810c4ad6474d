import { expect } from 'chai';
import type { VerifyingKey } from '../../../../src/domain/token/state/verifier-state.ts';
import type { AgentDirectory } from '../../../../src/sdk/files/agent-directory.ts';
import { LocalSwarm } from '../../../support/sdk/agent-folder.ts';
import { useOpenedDirectory } from '../../../support/sdk/opened-directory.ts';

const [NAME, OTHER] = ['agent-deployer', 'agent-validator'];

describe('readBundle', () => {
  const scene = useOpenedDirectory(NAME);

  it('imports no key anew that was in the bundle before, and drops those that are gone', async () => {
    const keysOf = ({ current }: AgentDirectory, agent: string): readonly VerifyingKey[] => [
      ...(current.bundle?.state.issuers.get(scene.swarm.id(agent))?.values() ?? []),
    ];
    const opened = await scene.open();
    const [own, others] = [keysOf(opened, NAME), keysOf(opened, OTHER)];
    scene.swarm.keys(OTHER).replace();
    scene.swarm.publish();
    await opened.reload();
    const kids = scene.swarm
      .keys(OTHER)
      .published()
      .map(({ kid }) => kid);
    expect(keysOf(opened, NAME)[0]).to.equal(own[0]);
    expect(keysOf(opened, OTHER).map(({ kid }) => kid)).to.deep.equal(kids);
    expect(kids).to.not.include(others[0]?.kid);
  });

  it('names the clock when the signature counts at another time, and only then', async () => {
    const writtenMs = scene.nowMs;
    scene.nowMs -= 24 * 3_600_000;
    const { problems } = await scene.open();
    expect(problems).to.deep.equal([
      {
        kind: 'problem',
        code: 'bundle_unsigned',
        file: 'bundle/bundle.jws',
        message: `bundle/bundle.jws was signed at ${wholeSecond(writtenMs)}, and by the clock of this machine its certificate does not count now: see that the clock is right, and that the operator runs.`,
      },
    ]);
    scene.nowMs = writtenMs;
    const stranger = new LocalSwarm();
    await scene.write({ signer: stranger.newBundleSigner() });
    stranger.close();
    expect((await scene.open()).problems.map(({ message }) => message)).to.deep.equal([
      'bundle/bundle.jws is not signed by the operator that the roots in tls/ca.crt stand for.',
    ]);
  });
});

function wholeSecond(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString();
}
