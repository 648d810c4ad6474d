import { expect } from 'chai';
import type { VerifyingKey } from '../../../../src/domain/token/state/verifier-state.ts';
import type { AgentDirectory } from '../../../../src/sdk/files/agent-directory.ts';
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
});
