/** Who may do what: every row of docs/reference/admission-table.md against a real API server, webhook and controller running. */

import { expect } from 'chai';
import { TABLE } from './table/rows.ts';
import { itAnswers } from './table/table-cluster.ts';
import { USERS } from './table/users.ts';

describe('the admission table', () => {
  it('has 120 rows at least, some of everybody', () => {
    expect(TABLE.length).to.be.at.least(120);
    expect(new Set(TABLE.map(({ user }) => user))).to.deep.equal(new Set(USERS.map(({ name }) => name)));
  });

  it('says each thing once', () => {
    const said = TABLE.map(({ user, does }) => `${user} ${does}`);
    expect(said).to.have.length(new Set(said).size);
  });

  describe('with webhook and controller running', () => itAnswers(TABLE, 'running'));
});
