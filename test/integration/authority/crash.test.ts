/** The operator is killed again and again while the authority rotates: nobody ever holds a certificate that others refuse. */

import { expect } from 'chai';
import { AuthorityProbe } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { STEADY_LEASE, vacateLease } from '../../support/crash.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Nothing is due by itself, and what is asked for settles for five seconds, in which several operators die. */
const FLAGS = [
  `--namespaces=${AGENTS}`,
  '--authority-life=8760h',
  '--authority-acceleration=120',
  '--reissue-rate=1',
  ...STEADY_LEASE,
];
const NAMES = ['agent-a', 'agent-b', 'agent-c'];
const KILLS = 12;

describe('an authority whose operator is killed at any moment', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator | undefined;
  let authority: AuthorityProbe;
  /** Signers of certificates that somebody would have refused, and who. */
  const refused = new Set<string>();

  const start = async (): Promise<void> => {
    operator = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
  };
  before(async () => {
    authority = new AuthorityProbe(swarm().client);
    await start();
    for (const name of NAMES) await swarm().createAgent(name);
    for (const name of NAMES) await swarm().ready(name);
  });
  after(() => operator?.stop());

  /** Every leaf against what every agent trusts, and the bundle; the leaves are read first. */
  const look = async (): Promise<void> => {
    const signers = new Set(
      (await Promise.all(NAMES.map((name) => authority.inSecret(`${name}-tls`)))).map(
        ({ signedBy }) => signedBy,
      ),
    );
    const secrets = await Promise.all(NAMES.map((name) => authority.inSecret(`${name}-tls`)));
    const trusted = [await authority.inBundle(), ...secrets.map(({ carries }) => carries)];
    for (const id of signers)
      for (const [at, carries] of trusted.entries())
        if (!carries.includes(id)) refused.add(`${id} by ${['the bundle', ...NAMES][at]}`);
  };

  it('rotates all the same', async () => {
    const random = pseudoRandom(7);
    const { signing: first } = await authority.see();
    // A taint, not rotateBefore: so certificates are replaced at once too, while operators die.
    await authority.ask({ taint: first });
    for (let kills = 0; kills < KILLS; kills++) {
      const untilMs = performance.now() + 100 + random() * 2_000;
      while (performance.now() < untilMs) await look();
      await operator?.kill();
      await vacateLease(swarm().client);
      await start();
    }
    const { signing } = await authority.until('another one to sign', (seen) => seen.signing !== first);
    await eventually('all to be signed anew', async () => {
      await look();
      const found = await Promise.all(NAMES.map((name) => authority.inSecret(`${name}-tls`)));
      return found.every(({ signedBy }) => signedBy === signing);
    });
    expect([...refused]).to.deep.equal([]);
  });
});
