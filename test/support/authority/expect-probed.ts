/** What a probed rotation must show, whatever was done to the operator meanwhile. */

import { expect } from 'chai';
import { SLOWEST } from './prober-pace.ts';
import { MIN_HANDSHAKES, type ProbedRotation } from './prober-rotation.ts';
import { KINDS } from './prober-tally.ts';

/** For two rotations on a slow machine. */
export const PROBED_TIMEOUT_MS = 1_800_000;

/**
 * No handshake failed, there were enough of them, and every leaf met every bundle that it may meet.
 *
 * A rotation in which nothing failed but this machine shows nothing: that is told, and another one is probed in its place, as
 * slowly as can be. It has to be a good one.
 *
 * @param probe Probes one, by what periods are divided if that is not to be chosen.
 */
export async function expectProbed(
  probe: (acceleration?: number) => Promise<ProbedRotation>,
  tell: (what: string) => void = (what) => process.stderr.write(`${what}\n`),
): Promise<void> {
  let found = await probe();
  const stall = stallOf(found);
  if (found.failed === 0 && stall !== undefined) {
    tell(`Once more, since ${stall}`);
    found = await probe(SLOWEST);
  }
  const { failed, failures, kinds, summary } = found;
  expect(failures.join('\n'), summary).to.equal('');
  expect(failed, summary).to.equal(0);
  expect(stallOf(found), summary).to.equal(undefined);
  expect(
    KINDS.filter((kind) => kinds.get(kind) === 0),
    summary,
  ).to.deep.equal([]);
}

/** Why a rotation shows nothing, if it does not: this machine was too slow. */
function stallOf({ handshakes, stalls: [first] }: ProbedRotation): string | undefined {
  if (first !== undefined) return `this machine stalled: ${first}`;
  if (handshakes >= MIN_HANDSHAKES) return undefined;
  return `this machine stalled: it made ${handshakes} handshakes in a rotation, and ${MIN_HANDSHAKES} are wanted`;
}
