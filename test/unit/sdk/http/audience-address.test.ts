import { expect } from 'chai';
import { readPolicyFile } from '../../../../src/domain/token/state/policy-file.ts';
import { audienceAt, reachedAt } from '../../../../src/sdk/http/audience.ts';

const ONE = 'spiffe://dev.test/ns/default/sa/one';
const TWO = 'spiffe://dev.test/ns/default/sa/two';

const policyWith = (address: string) =>
  readPolicyFile(
    JSON.stringify({
      version: 1,
      clusterDomain: 'cluster.local',
      agents: {
        [ONE]: { name: 'default/one', originate: true, address },
        [TWO]: { name: 'default/two', originate: false },
      },
      edges: [],
    }),
  );

describe('an address in policy.json', () => {
  const policy = policyWith('localhost:8441');

  it('names its agent', () => {
    expect(policy && audienceAt('localhost:8441', policy)).to.equal(ONE);
    expect(policy && audienceAt('localhost:8442', policy)).to.equal(undefined);
    expect(policy && audienceAt('localhost', policy)).to.equal(undefined);
  });

  it('is where its agent is reached, whatever the URL says', () => {
    const reached = (audience: string) =>
      policy && reachedAt(new URL('https://one:8443/v1/x?y=1'), audience, policy).href;
    expect(reached(ONE)).to.equal('https://localhost:8441/v1/x?y=1');
    expect(reached(TWO)).to.equal('https://one:8443/v1/x?y=1');
  });

  for (const address of ['localhost', 'localhost:0', 'LOCALHOST:1', 'a b:1', 'https://a:1', ':1', 'a:1/x'])
    it(`is not "${address}"`, () => expect(policyWith(address)).to.equal(undefined));
});
