/**
 * The operator behind a network and an API server that fail in every way they do: after each fault everything is true
 * again without a restart of the operator, nothing was issued without a reason, and the ledger is exact.
 */

import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import type { Fault } from '../../support/faults.ts';
import { NAMESPACES, useFaultyCluster } from '../../support/faulty-cluster.ts';
import {
  anything,
  lists,
  type Match,
  type ProxiedRequest,
  statusWrites,
  watches,
  writes,
} from '../../support/proxied-request.ts';
import { pseudoRandom } from '../../support/pseudo-random.ts';
import { useSwarm } from '../../support/swarm.ts';

const STORM_SEED = 1;
const STORM_HITS = 60;
/** So many of a hundred requests meet each of the faults of a storm. */
const STORM_PERCENT = 2;

describe('an operator behind faults', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, NAMESPACES);

  describe('of the network and the API server', () => {
    const cluster = useFaultyCluster(controlPlane, swarm);

    describe('in whatever is asked', () => {
      const faults: readonly (readonly [string, Fault, number])[] = [
        ['connections that are reset before requests arrive', { kind: 'reset', at: 'request' }, 20],
        ['connections that are reset before answers come', { kind: 'reset', at: 'answer' }, 20],
        ['half-open connections', { kind: 'silence', at: 'request' }, 10],
        ['429 with Retry-After', { kind: 'status', status: 429, retryAfterSeconds: 1 }, 15],
        ['503', { kind: 'status', status: 503 }, 20],
        ['503 with Retry-After', { kind: 'status', status: 503, retryAfterSeconds: 1 }, 10],
        ['500', { kind: 'status', status: 500 }, 20],
        ['401', { kind: 'status', status: 401 }, 10],
        ['late answers', { kind: 'delay', delayMs: 500 }, 20],
        ['answers that trickle in', { kind: 'trickle', bytes: 512, everyMs: 20 }, 20],
        ['answers that are cut off', { kind: 'cut' }, 20],
        ['answers that end too early', { kind: 'truncation' }, 20],
      ];
      for (const [what, fault, times] of faults) {
        it(`survives ${what}`, () => cluster().survives({ on: anything, fault, times }));
      }

      it('survives connections that are accepted and not served', async () => {
        cluster().proxy.deaf = true;
        cluster().proxy.resetAll();
        await cluster().change();
        cluster().proxy.deaf = false;
        await cluster().allIsTrue();
      });

      it(`survives storm ${STORM_SEED} of all of them`, async () => {
        const random = pseudoRandom(STORM_SEED);
        const on = ({ resource }: ProxiedRequest): boolean =>
          resource !== 'leases' && random() * 100 < STORM_PERCENT;
        const active = faults.map(([, fault]) => cluster().proxy.inject({ on, fault }));
        while (active.reduce((sum, { hits }) => sum + hits, 0) < STORM_HITS) {
          const before = cluster().proxy.journal.length;
          await cluster().change();
          await eventually('the operator to react', () => cluster().proxy.journal.length > before + 20);
        }
        for (const each of active) each.lift();
        await cluster().allIsTrue();
      });
    });

    describe('in the answers of writes', () => {
      const written: readonly (readonly [string, Match])[] = [
        ['new Secrets', writes('secrets', 'POST')],
        ['changed Secrets', writes('secrets', 'PUT')],
        ['the ledger', writes('configmaps', 'PUT')],
        ['status', statusWrites('agentidentities')],
        ['events', writes('events')],
        ['the Lease', writes('leases')],
      ];
      for (const [what, on] of written) {
        it(`survives resets before the answers to writes of ${what}`, () =>
          cluster().survives({ on, fault: { kind: 'reset', at: 'answer' }, times: 2 }));
        it(`survives silence instead of the answers to writes of ${what}`, () =>
          cluster().survives({ on, fault: { kind: 'silence', at: 'answer' }, times: 1 }));
        it(`survives writes of ${what} that arrive when nobody waits for them any more`, () =>
          cluster().survives({ on, fault: { kind: 'lateness', delayMs: 2_500 }, times: 1 }));
      }

      it('gives a new key to who deletes a Secret before its writer knows of it', async () => {
        const [namespace] = NAMESPACES;
        const { proxy } = cluster();
        const created = proxy.inject({
          on: writes('secrets', 'POST'),
          fault: { kind: 'silence', at: 'answer' },
          times: 1,
        });
        const unseen = proxy.inject({
          on: watches('secrets', namespace),
          fault: { kind: 'silence', at: 'answer' },
          times: 1,
        });
        await swarm().createAgent('unlucky', {}, namespace);
        await cluster().met(created, 1);
        await cluster().met(unseen, 1);
        await eventually('the Secret to be there', () => swarm().secret('unlucky-tls', namespace));
        await cluster().deleteSecret(namespace, 'unlucky-tls');
        await cluster().allIsTrue();
      });
    });

    describe('in watches', () => {
      const watched: readonly (readonly [string, Match])[] = [
        ['AgentIdentities', watches('agentidentities')],
        ['ServiceAccounts', watches('serviceaccounts')],
        ['Secrets', watches('secrets', NAMESPACES[0])],
        ['ConfigMaps', watches('configmaps', NAMESPACES[0])],
        ['the authority', watches('secrets', OPERATOR_NAMESPACE)],
      ];
      const faults: readonly (readonly [string, Fault, number])[] = [
        ['resets', { kind: 'reset', at: 'answer' }, 2],
        ['silence', { kind: 'silence', at: 'answer' }, 1],
        ['an early end', { kind: 'truncation' }, 2],
        ['410', { kind: 'status', status: 410 }, 2],
        ['an ERROR event 410', { kind: 'error event', status: 410 }, 2],
        ['an ERROR event 500', { kind: 'error event', status: 500 }, 2],
      ];
      for (const [what, fault, times] of faults) {
        for (const [kind, on] of watched) {
          it(`survives ${what} in the watch of ${kind}`, () => cluster().survives({ on, fault, times }));
        }
      }
    });

    describe('at restarts', () => {
      it('survives an API server that is killed and started again', async () => {
        await cluster().change();
        await controlPlane().killApiServer();
        await controlPlane().startApiServer();
        await cluster().change();
        await cluster().allIsTrue();
      });

      it('survives a restart of etcd', async () => {
        await cluster().change();
        await controlPlane().restartEtcd();
        await cluster().change();
        await cluster().allIsTrue();
      });

      it('starts although lists and the ledger are refused at first', async () => {
        await cluster().stopOperator();
        const active = cluster().proxy.inject({
          on: (request) => lists()(request) || writes('configmaps')(request),
          fault: { kind: 'status', status: 503 },
          times: 15,
        });
        await cluster().change();
        await cluster().startOperator();
        await cluster().met(active, 15);
        await cluster().allIsTrue();
      });
    });
  });
});
