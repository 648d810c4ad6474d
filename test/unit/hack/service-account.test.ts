/** The folder that stands for the one in a pod. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type IssuedToken, TokenFolder } from '../../../hack/control-plane/service-account.ts';
import { eventually } from '../../support/eventually.ts';

describe('TokenFolder', () => {
  let directory: string;
  let folder: TokenFolder | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'token-folder-'));
  });

  afterEach(() => {
    folder?.close();
    rmSync(directory, { recursive: true });
  });

  const create = async (request: () => Promise<IssuedToken>): Promise<void> => {
    folder = await TokenFolder.create({ directory, namespace: 'default', ca: 'a root', request });
  };
  const token = (): string => readFileSync(join(directory, 'token'), 'utf8');

  it('replaces the token before it expires', async () => {
    const issuedAtMs: number[] = [];
    await create(async () => {
      issuedAtMs.push(Date.now());
      const lifeMs = issuedAtMs.length === 1 ? 200 : 600_000;
      return { token: `token ${issuedAtMs.length}`, expiresAtMs: Date.now() + lifeMs };
    });
    expect(token()).to.equal('token 1');
    await eventually('the second token', () => token() === 'token 2');
    const [first = 0, second = 0] = issuedAtMs;
    expect(second - first).to.be.within(155, 10_000);
  });

  it('asks again when it got none', async () => {
    const answers = [
      { token: 'old', expiresAtMs: Date.now() },
      undefined,
      { token: 'new', expiresAtMs: Date.now() + 600_000 },
    ];
    await create(async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error('connection refused');
      return answer;
    });
    await eventually('the new token', () => token() === 'new');
  });
});
