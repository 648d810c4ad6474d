/** Certificates of a tainted generation are replaced at the rate, also those that came due while no operator ran. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { SECRET } from '../../../src/kube/core-types.ts';
import { AuthorityProbe, UNHURRIED } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const RATE = 1;
const NAMES = Array.from({ length: 20 }, (_, at) => `agent-${at}`);
const FLAGS = [`--namespaces=${AGENTS}`, ...UNHURRIED, `--reissue-rate=${RATE}`];
const WINDOW_SECONDS = 5;
/** A certificate begins so long before it is issued. */
const BACKDATE_SECONDS = 120;

describe('an operator that was down while certificates of a tainted generation came due', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;

  const start = (): Promise<RunningOperator> => startOperator({ controlPlane: controlPlane(), flags: FLAGS });
  before(async () => {
    operator = await start();
    for (const name of NAMES) await swarm().createAgent(name);
    for (const name of NAMES) await swarm().ready(name);
  });
  after(() => operator?.stop());

  /** When each certificate was issued, seconds since the Unix epoch. */
  async function issuedAt(): Promise<readonly number[]> {
    const { items } = await swarm().client.list<Secret>(SECRET, { namespace: AGENTS });
    return items
      .filter(({ type }) => type === 'kubernetes.io/tls')
      .map(({ data = {} }) => new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64')))
      .map(({ validFromDate }) => validFromDate.getTime() / 1000 + BACKDATE_SECONDS);
  }

  it('replaces them at the rate when it is back', async () => {
    const authority = new AuthorityProbe(swarm().client);
    const { signing: tainted } = await authority.see();
    await authority.ask({ taint: tainted });
    const { generations } = await authority.until(
      'another one to sign',
      ({ signing }) => signing !== tainted,
    );
    // At once: in good order it would go on replacing them.
    await operator.kill();
    const { retiringSince, reissueTotal = 0 } = generations.get(tainted) ?? {};
    const allDueAtMs = Date.parse(retiringSince ?? '') + (reissueTotal / RATE) * 1000;
    await eventually('all to be due', () => Date.now() > allDueAtMs);
    const backAtSeconds = Date.now() / 1000;
    operator = await start();
    await authority.until(
      'the end of it',
      ({ generations: now }) => now.get(tainted) === undefined || now.get(tainted)?.reissuedAt !== undefined,
      { timeoutMs: 120_000 },
    );
    const late = (await issuedAt()).filter((seconds) => seconds >= Math.floor(backAtSeconds));
    expect(late).to.have.length.above(10);
    for (const from of late) {
      const within = late.filter((seconds) => seconds >= from && seconds < from + WINDOW_SECONDS);
      expect(within.length, `within ${WINDOW_SECONDS} s from ${from}`).to.be.at.most(
        // What may be made up for at once, and whole seconds.
        RATE * (WINDOW_SECONDS + 2) + 1,
      );
    }
  });
});
