/** The operator's wall clock is moved by a day, forward and back, while it serves identities. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { AGENT_IDENTITY, ANNOTATION_RENEW_BEFORE, BUNDLE_NAME, OWN_PREFIX } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { readIssuers } from '../../../src/crypto/jose/verifying-key.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import { auditedWrites } from '../../support/audit-log.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type MovedOperator, startUnderFaketime, startWithInjectedClock } from '../../support/moved-clock.ts';
import { startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';
import { defects } from '../../support/wholeness.ts';

const DAY = 86_400;
const FLAGS = [`--namespaces=${AGENTS}`];
const LONG_LIVED = Array.from({ length: 18 }, (_, at) => `agent-${at}`);
/** Certificates are renewed 1.6 to 2 min after they were issued: no spec gets there sooner. */
const SHORT_LIFE = { certificate: { duration: '10m', renewBefore: '9m' } };
const RENEWAL = { timeoutMs: 150_000 };
const QUIET_MS = 5_000;
const SECRET_WRITES = /^(create|update|patch|delete) secrets/;
const CONTROLLER = 'controller="agentidentity"';

/** Seconds beside the true time, and how one says it. */
const MOVES = [
  [DAY, 'a day ahead'],
  [0, 'back to the true time'],
  [-DAY, 'a day behind'],
  [0, 'to the true time once more'],
] as const;

for (const { title, start, firstOffset, shortLived } of [
  {
    title: 'an injected clock',
    start: startWithInjectedClock,
    firstOffset: 0,
    shortLived: ['short-0', 'short-1'],
  },
  {
    title: 'a clock under libfaketime that is a day ahead from the start',
    start: startUnderFaketime,
    firstOffset: DAY,
    shortLived: [],
  },
]) {
  describe(`an operator with ${title}`, () => {
    const controlPlane = useControlPlane({ auditLog: true });
    const swarm = useSwarm(controlPlane);
    let operator: MovedOperator;
    let serials: ReadonlyMap<string, string>;
    let touches = 0;
    let earlierWrites = 0;

    before(async () => {
      const issuer = await startOperator({ controlPlane: controlPlane(), flags: FLAGS });
      for (const name of LONG_LIVED) await swarm().createAgent(name);
      for (const name of shortLived) await swarm().createAgent(name, SHORT_LIFE);
      await isWhole();
      await isPublished();
      await issuer.stop();
      serials = await serialsNow();
      operator = await start({ controlPlane: controlPlane(), flags: FLAGS, offsetSeconds: firstOffset });
      await allLookedAt();
      await isQuiet();
      earlierWrites = (await writes()).length;
    });
    after(() => operator?.stop());

    async function isWhole(): Promise<void> {
      const check = async (): Promise<boolean> => {
        expect(await defects(swarm())).to.deep.equal([]);
        return true;
      };
      await eventually('every identity to be whole', check);
    }

    /** Bundles are written some seconds after what they name: the next leader is to find nothing left to do. */
    async function isPublished(): Promise<void> {
      const count = LONG_LIVED.length + shortLived.length;
      await eventually('the bundle to have the keys of all', async () => {
        const { data = {} } = await swarm().client.get<ConfigMap>(CONFIG_MAP, {
          namespace: AGENTS,
          name: BUNDLE_NAME,
        });
        return readIssuers(data['jwks.json'] ?? '')?.size === count;
      });
    }

    /** Who has taken over still writes who leads, and that not more than once in two seconds. */
    async function isQuiet(): Promise<void> {
      await eventually('the operator to have said all', async () => {
        const last = (await auditedWrites(controlPlane(), [operator.credentialId])).at(-1);
        return last === undefined || Date.now() - Date.parse(last.answeredAt) > QUIET_MS;
      });
    }

    async function serialsNow(): Promise<ReadonlyMap<string, string>> {
      const { items } = await swarm().client.list<Secret>(SECRET, { namespace: AGENTS });
      return new Map(
        items
          .filter(({ metadata }) => metadata.name.endsWith('-tls'))
          .map(({ metadata, data = {} }) => [
            metadata.name.replace(/-tls$/, ''),
            new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64')).serialNumber,
          ]),
      );
    }

    /** Names of the identities that have another leaf than before. */
    async function renewed(): Promise<readonly string[]> {
      const now = await serialsNow();
      return [...now].filter(([name, serial]) => serials.get(name) !== serial).map(([name]) => name);
    }

    /** Writes of the operator since all was looked at for the first time. */
    async function writes(kind = /./): Promise<readonly string[]> {
      const all = await auditedWrites(controlPlane(), [operator.credentialId]);
      return all
        .slice(earlierWrites)
        .map(({ what }) => what)
        .filter((what) => kind.test(what));
    }

    /** The clock is moved, the operator sees it, and looks at every identity once more. */
    async function move(offsetSeconds: number): Promise<void> {
      await operator.moveTo(offsetSeconds);
      await eventually('the operator to see its clock', async () => {
        const skewSeconds = await operator.metric('agent_trust_clock_skew_seconds');
        return Math.abs(skewSeconds - offsetSeconds) < 5;
      });
      await touchAll();
    }

    async function touchAll(): Promise<void> {
      const before = await operator.metric('controller_runtime_reconcile_total', CONTROLLER);
      const annotations = { [`${OWN_PREFIX}touched`]: String(++touches) };
      for (const name of [...LONG_LIVED, ...shortLived]) {
        await swarm().client.mergePatch(AGENT_IDENTITY, {
          namespace: AGENTS,
          name,
          patch: { metadata: { annotations } },
        });
      }
      await allLookedAt(before);
    }

    async function allLookedAt(before = 0): Promise<void> {
      const count = LONG_LIVED.length + shortLived.length;
      await eventually('every identity to be looked at', async () => {
        const reconciles = await operator.metric('controller_runtime_reconcile_total', CONTROLLER);
        const waiting = await operator.metric('workqueue_depth', 'name="agentidentity"');
        const running = await operator.metric('controller_runtime_active_workers', CONTROLLER);
        return reconciles - before >= count && waiting + running === 0;
      });
    }

    for (const [offsetSeconds, whereTo] of MOVES) {
      it(`renews nothing and writes nothing when its clock is moved ${whereTo}`, async () => {
        await move(offsetSeconds);
        expect(await writes()).to.deep.equal([]);
        expect(await renewed()).to.deep.equal([]);
      });
    }

    if (shortLived.length > 0)
      it('renews what becomes due while its clock is a day ahead, once', async () => {
        await move(DAY);
        await eventually(
          'the short-lived to be renewed',
          async () => (await renewed()).length === shortLived.length,
          RENEWAL,
        );
        await touchAll();
        expect([...(await renewed())].sort()).to.deep.equal(shortLived);
        expect(await writes(SECRET_WRITES)).to.have.members(
          shortLived.map((name) => `update secrets ${AGENTS}/${name}-tls`),
        );
      });

    it('renews what a person asks for while its clock is a day behind, once', async () => {
      await move(-DAY);
      serials = await serialsNow();
      const asked = LONG_LIVED.slice(0, 3);
      const annotations = { [ANNOTATION_RENEW_BEFORE]: new Date().toISOString() };
      for (const name of asked) {
        await swarm().client.mergePatch(AGENT_IDENTITY, {
          namespace: AGENTS,
          name,
          patch: { metadata: { annotations } },
        });
      }
      await eventually('the renewals', async () => (await renewed()).length >= asked.length);
      await touchAll();
      expect([...(await renewed())].sort()).to.deep.equal(asked);
      expect((await writes(SECRET_WRITES)).length).to.equal(shortLived.length + asked.length);
    });

    it('has kept its lease, and every identity whole', async () => {
      await move(0);
      await isWhole();
      expect(operator.isAlive()).to.equal(true);
      expect(await operator.metric('leader_election_master_status')).to.equal(1);
    });
  });
}
