import { mock } from 'node:test';
import { expect } from 'chai';
import { ledgerComponent } from '../../../src/cmd/components.ts';
import { IssuanceLedger } from '../../../src/controllers/ledger/ledger.ts';
import { LINES_PER_LEDGER } from '../../../src/domain/ledger/ledger-line.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { StartContext } from '../../../src/kube/lifecycle.ts';
import { ConfigMapStore } from '../../support/config-map-store.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { NOW, storedLedger } from '../controllers/ledger/fixture.ts';

const TRIMMED_WITHIN_MS = 10 * 60_000;

describe('ledgerComponent', () => {
  const log = recordingLog();
  let store: ConfigMapStore;
  let ledger: IssuanceLedger;
  let context: StartContext & { readonly failures: string[] };

  beforeEach(() => {
    store = new ConfigMapStore();
    ledger = new IssuanceLedger({ store, namespace: 'agent-trust-system', epoch: 'first', nowMs: Date.now });
    const failures: string[] = [];
    context = { signal: new AbortController().signal, fail: (reason) => failures.push(reason), failures };
  });

  it('takes the ledger over however often the API server does not answer', async () => {
    store.fate = () => (store.calls.length < 6 ? 'lost' : 'answered');
    const component = ledgerComponent(ledger, { surelyPastMs: Date.now, log, wait: async () => {} });
    await component.start(context);
    expect([...store.objects.keys()]).to.deep.equal(['agent-trust-ledger-1']);
    expect(await component.stop({ graceMs: 0, clean: true })).to.equal(true);
  });

  it('rejects when trying again cannot help', async () => {
    const forbidden = new KubeError('KUBE_FORBIDDEN', 'list configmaps: 403 Forbidden');
    store.arrival = () => Promise.reject(forbidden);
    const component = ledgerComponent(ledger, { surelyPastMs: Date.now, log });
    expect(await component.start(context).catch((error: unknown) => error)).to.equal(forbidden);
    await component.stop({ graceMs: 0, clean: true });
  });

  it('ends its tries when it is stopped', async () => {
    store.fate = () => 'refused';
    const waits = Promise.withResolvers<void>();
    const component = ledgerComponent(ledger, {
      surelyPastMs: Date.now,
      log,
      wait: (_delayMs, signal) => {
        waits.resolve();
        return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
      },
    });
    const started = component.start(context);
    await waits.promise;
    await component.stop({ graceMs: 0, clean: true });
    await started;
    expect([store.calls.length, context.failures]).to.deep.equal([1, []]);
  });

  it('deletes ledgers by and by whose leaves have ended, and none while no instant is surely past', async () => {
    const full = storedLedger(1, LINES_PER_LEDGER, NOW);
    store.objects.set(full.metadata.name, full);
    let pastMs = Number.NEGATIVE_INFINITY;
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const component = ledgerComponent(ledger, { surelyPastMs: () => pastMs, log });
      await component.start(context);
      store.calls.length = 0;
      mock.timers.tick(TRIMMED_WITHIN_MS);
      expect(store.writes).to.deep.equal([]);
      pastMs = NOW + 1;
      mock.timers.tick(TRIMMED_WITHIN_MS);
      expect(store.writes).to.deep.equal(['delete agent-trust-ledger-1']);
      await component.stop({ graceMs: 0, clean: true });
    } finally {
      mock.timers.reset();
    }
  });

  it('ends the process when another leader has taken over', async () => {
    const component = ledgerComponent(ledger, { surelyPastMs: Date.now, log });
    await component.start(context);
    await new IssuanceLedger({
      store,
      namespace: 'agent-trust-system',
      epoch: 'second',
      nowMs: Date.now,
    }).takeOver();
    const line = { identityUid: 'u', namespace: 'a', serviceAccountName: 'b', serialHex: '01' };
    await ledger.commit({ ...line, notAfterMs: 0, generation: 'g' }).catch(() => {});
    expect(context.failures).to.deep.equal(['another leader has taken the ledger over']);
    await component.stop({ graceMs: 0, clean: true });
  });
});
