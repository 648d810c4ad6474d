/** The lock that keeps two processes from building the same programs. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { withLock } from '../../../hack/control-plane/lock.ts';
import { identify } from '../../../hack/control-plane/process-identity.ts';

describe('withLock', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lock-'));
    path = join(directory, 'lock');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it('names its holder while the work goes on and is released after it', async () => {
    const holder = await withLock({ path }, async () => JSON.parse(readFileSync(path, 'utf8')));
    expect(holder).to.deep.equal(identify(process.pid));
    expect(existsSync(path)).to.equal(false);
  });

  it('is released when the work fails', async () => {
    const failure = await withLock({ path }, async () => Promise.reject(new Error('no'))).catch(
      (error: Error) => error,
    );
    expect(failure).to.be.instanceOf(Error).with.property('message', 'no');
    expect(existsSync(path)).to.equal(false);
  });

  it('lets one in after the other', async () => {
    const order: string[] = [];
    const told: number[] = [];
    const finishFirst = Promise.withResolvers<void>();
    const first = withLock({ path }, async () => {
      await finishFirst.promise;
      order.push('first');
    });
    const onWait = (pid: number): void => {
      told.push(pid);
      finishFirst.resolve();
    };
    await withLock({ path, onWait }, async () => order.push('second'));
    await first;
    expect(order).to.deep.equal(['first', 'second']);
    expect(told).to.deep.equal([process.pid]);
  });

  it('is taken over from a process that is gone', async () => {
    const { pid } = spawnSync('true');
    writeFileSync(path, JSON.stringify({ pid, startedAt: '1' }));
    expect(await withLock({ path }, async () => 'in')).to.equal('in');
  });

  it('is taken over when its pid belongs to another process by now', async () => {
    writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    expect(await withLock({ path }, async () => 'in')).to.equal('in');
  });
});
