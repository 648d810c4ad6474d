/** Suite stolen-token: attacks with the real tokens of our processes, of agents, and as the editor of their namespace. */

import { expect } from 'chai';
import type { Row } from './table/row.ts';
import { ATTACKS, TABLE } from './table/rows.ts';
import { itAnswers } from './table/table-cluster.ts';
import type { UserName } from './table/users.ts';

/** What each can do all the same: so the refusals are none of a token that is dead. */
function controls(user: UserName): readonly Row[] {
  return TABLE.filter((row) => row.user === user && row.whileDown === undefined && 'warnings' in row.answer);
}

const AT_LEAST: Readonly<Partial<Record<UserName, number>>> = {
  controller: 30,
  webhook: 30,
  'namespace editor': 40,
};
const ATTACKERS = [...new Set(ATTACKS.map(({ user }) => user))];

describe('stolen-token', () => {
  for (const [user, count] of Object.entries(AT_LEAST)) {
    it(`has ${count} attacks of ${user} at least`, () => {
      expect(ATTACKS.filter((row) => row.user === user).length).to.be.at.least(count);
    });
  }

  it('has 40 attacks of agents at least', () => {
    expect(ATTACKS.filter(({ user }) => user.startsWith('agent')).length).to.be.at.least(40);
  });

  it('expects every attack to be refused, with our processes and without', () => {
    const open = ATTACKS.filter((row) => 'warnings' in row.answer || row.whileDown !== undefined);
    expect(open).to.deep.equal([]);
  });

  it('says each attack once', () => {
    const said = ATTACKS.map(({ user, does }) => `${user} ${does}`);
    expect(said).to.have.length(new Set(said).size);
  });

  describe('with every process of ours down', () =>
    itAnswers([...ATTACKS, ...ATTACKERS.flatMap(controls)], 'down'));
});
