/** What a probed rotation must show, whatever was done to the operator meanwhile. */

import { expect } from 'chai';
import { MIN_HANDSHAKES, type ProbedRotation } from './prober-rotation.ts';
import { KINDS } from './prober-tally.ts';

/** No handshake failed, there were enough of them, and every leaf met every bundle that it may meet. */
export function expectProbed({ handshakes, failed, failures, kinds, summary }: ProbedRotation): void {
  expect(failures.join('\n'), summary).to.equal('');
  expect(failed, summary).to.equal(0);
  expect(
    KINDS.filter((kind) => kinds.get(kind) === 0),
    summary,
  ).to.deep.equal([]);
  expect(handshakes, summary).to.be.at.least(MIN_HANDSHAKES);
}
