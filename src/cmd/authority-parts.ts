/** The parts of the controller process that keep the authority: its generations, and who of them signs. */

import type { Registry } from 'prom-client';
import type { EventReason } from '../api/event-reasons.ts';
import { AUTHORITY_INTENT_NAME, AUTHORITY_SECRET_NAME, AUTHORITY_STATE_NAME } from '../api/group.ts';
import { AuthorityBook } from '../controllers/authority/authority-book.ts';
import { AuthorityKeeper } from '../controllers/authority/authority-keeper.ts';
import { type AuthorityRecord, authorityRecord } from '../controllers/authority/authority-record.ts';
import {
  type GivenRecord,
  type GivenSource,
  givenRecord,
  judgeGiven,
} from '../controllers/authority/given-record.ts';
import { type IntentRecord, intentRecord } from '../controllers/authority/intent-record.ts';
import { type AuthorityPorts, authorityReconciler } from '../controllers/authority/reconcile.ts';
import { ReissueTurns } from '../controllers/authority/reissue-turns.ts';
import { type StateRecord, stateRecord } from '../controllers/authority/state-object.ts';
import type { ConfigMap } from '../controllers/bundle/bundle-record.ts';
import type { LedgerCommit } from '../controllers/identity/leaf-supply.ts';
import type { Secret } from '../controllers/identity/secret.ts';
import type { LeafBook } from '../controllers/ledger/leaf-book.ts';
import { MIN_GIVEN_LIFE_MS } from '../domain/authority/given.ts';
import type { AuthoritySettings } from '../domain/authority/periods.ts';
import { Cache, type CacheOptions } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ReferenceClock } from '../kube/clock.ts';
import { Controller, type ControllerOptions } from '../kube/controller.ts';
import { CONFIG_MAP, SECRET } from '../kube/core-types.ts';
import { KubeError } from '../kube/errors.ts';
import type { FencedWriter } from '../kube/fenced-writer.ts';
import type { LeaderElector } from '../kube/leader.ts';
import { type KubeObject, keyOf, type ObjectMeta } from '../kube/object.ts';
import { authorityMetrics } from '../observe/authority-metrics.ts';
import type { RunningCache } from './components.ts';
import type { ControllerConfig } from './config.ts';

/** What the parts are made of. */
export interface AuthorityPartsOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  /** Its writes need the Lease. */
  readonly client: KubeClient;
  readonly writer: FencedWriter;
  readonly elector: Pick<LeaderElector, 'identity' | 'term'>;
  /** Filled by the ledger. */
  readonly leaves: LeafBook;
  readonly registry: Registry;
  readonly clock: ReferenceClock;
  /** The operator's own. */
  readonly namespace: string;
  readonly config: Pick<
    ControllerConfig,
    'trustDomain' | 'clusterDomain' | 'authority' | 'authoritySecretName'
  >;
  /** What every controller of the process has. */
  readonly controller: (name: string) => Omit<ControllerOptions, 'reconcile' | 'listKeys'>;
  readonly tell: (
    kind: string,
    metadata: ObjectMeta,
    event: { readonly reason: EventReason; readonly note: string },
  ) => void;
}

/** The parts; nothing runs yet. */
export interface AuthorityParts {
  readonly book: AuthorityBook;
  /** Of those whose leaf is replaced because its authority is tainted. */
  readonly turns: ReissueTurns;
  readonly caches: readonly RunningCache[];
  /** The ledger, for leaves of the generation that signs. */
  guarded(ledger: LedgerCommit): LedgerCommit;
  /**
   * Connects it with what it looks at, which needs the book itself. Call before the caches start.
   *
   * @param seen See `AuthorityPorts`.
   */
  connect(seen: Pick<AuthorityPorts, 'view' | 'trusted' | 'rejected' | 'note'>): Controller;
}

/** Builds them. */
export function authorityParts(options: AuthorityPartsOptions): AuthorityParts {
  const { elector, clock, namespace, client, writer, leaves, config } = options;
  const book = new AuthorityBook(() => elector.term === undefined);
  const secrets = namedCache<AuthorityRecord, Secret>(
    options,
    SECRET,
    AUTHORITY_SECRET_NAME,
    authorityRecord,
  );
  const stored = namedCache<StateRecord, ConfigMap>(options, CONFIG_MAP, AUTHORITY_STATE_NAME, stateRecord);
  const intents = namedCache<IntentRecord, ConfigMap>(
    options,
    CONFIG_MAP,
    AUTHORITY_INTENT_NAME,
    intentRecord,
  );
  const { authoritySecretName } = config;
  const givens =
    authoritySecretName === undefined
      ? undefined
      : namedCache<GivenRecord, Secret>(options, SECRET, authoritySecretName, givenRecord);
  const nowMs = (): number => clock.nowMs();
  const settings: AuthoritySettings = config.authority;
  const { trustDomain } = config;
  const keeper = new AuthorityKeeper({
    ...{ secrets, stored, client, writer, book, leaves, namespace, trustDomain, settings, nowMs },
    epoch: elector.identity,
  });
  return {
    book,
    turns: new ReissueTurns(settings),
    caches: [secrets, stored, intents, ...(givens === undefined ? [] : [givens])],
    guarded: (ledger) => guardedLedger(ledger, book),
    connect(seen) {
      const controller = new Controller({
        ...options.controller('authority'),
        listKeys: () => [AUTHORITY_SECRET_NAME],
        reconcile: authorityReconciler({
          ...{ ...seen, keeper, book, stored, intents, leaves, namespace, nowMs },
          given: givens && givenSource(options, givens),
          isClockTrusted: () => clock.isTrusted,
          monotonicMs: () => clock.monotonicMs(),
          observer: authorityMetrics(options.registry),
          tell: ({ kind, metadata }, event) => options.tell(kind, metadata, event),
        }),
      });
      const wake = (): void => controller.enqueue(AUTHORITY_SECRET_NAME);
      secrets.onChange((_key, record) => {
        book.observe(record);
        wake();
      });
      for (const cache of [stored, intents]) cache.onChange(wake);
      // Before it is read no authority that is given is taken.
      intents.onStateChange(wake);
      givens?.onChange(wake);
      return controller;
    },
  };
}

/** How long an authority that is given must still be valid follows the other periods. */
function givenSource(
  { config, clock, namespace }: AuthorityPartsOptions,
  cache: Cache<GivenRecord, Secret>,
): GivenSource {
  const { trustDomain, clusterDomain, authority, authoritySecretName: secretName = '' } = config;
  const key = keyOf({ namespace, name: secretName });
  const minLifeMs = MIN_GIVEN_LIFE_MS / authority.acceleration;
  return {
    secretName,
    find: (among) =>
      judgeGiven(cache.get(key), { trustDomain, clusterDomain, nowMs: clock.nowMs(), minLifeMs }, among),
    get metadata() {
      return cache.get(key)?.metadata ?? { namespace, name: secretName };
    },
  };
}

function namedCache<T, O extends KubeObject>(
  { cache, namespace }: AuthorityPartsOptions,
  type: CacheOptions<T, O>['type'],
  name: string,
  project: (object: O) => T,
): Cache<T, O> {
  return new Cache<T, O>({ ...cache, type, namespace, fieldSelector: `metadata.name=${name}`, project });
}

/**
 * A leaf whose line was still on its way when another generation began to sign is not handed out: from then on the ledger
 * shows every leaf of the one before that anybody can hold.
 */
function guardedLedger(ledger: LedgerCommit, book: AuthorityBook): LedgerCommit {
  return {
    async commit(line) {
      await ledger.commit(line);
      if (book.isSigning(line.generation)) return;
      throw new KubeError(
        'KUBE_CONFLICT',
        'issue a certificate: another generation of the authority signs now',
      );
    },
  };
}
