/** Telling people about the authority: whatever lasts is told once, and once more when it is something else. */

import { AUTHORITY_STATE_NAME } from '../../api/group.ts';
import type { GenerationFacts, Lacking } from '../../domain/authority/facts.ts';
import { type GivenSituation, usableGiven } from '../../domain/authority/given-choice.ts';
import type { Cache } from '../../kube/cache.ts';
import { keyOf, type ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import { type AuthorityEvent, exclusionEvent, givenEvent, intentEvent } from './authority-events.ts';
import { type GivenAuthority, type GivenSource, givenSays } from './given-record.ts';
import type { IntentRecord } from './intent-record.ts';
import type { StateRecord } from './state-object.ts';

/** What it needs. */
export interface TellerPorts {
  readonly namespace: string;
  /** Of the ConfigMap with the phases. */
  readonly stored: Cache<StateRecord, ConfigMap>;
  /** What is given in place of generations that are made here; undefined: nothing is to be given. */
  readonly given: GivenSource | undefined;
  readonly observer: { acted(step: 'rebuild'): void };
  /** Tells people about an object of the operator's namespace. */
  readonly tell: (
    regarding: { readonly kind: 'Secret' | 'ConfigMap'; readonly metadata: ObjectMeta },
    event: AuthorityEvent,
  ) => void;
}

/** Remembers what was told. */
export class AuthorityTeller {
  readonly #ports: TellerPorts;
  #problems = '';
  #refusal = '';
  #excluded: ReadonlySet<string> = new Set();

  constructor(ports: TellerPorts) {
    this.#ports = ports;
  }

  /** Tells an event about the state of the authority. */
  tell(event: AuthorityEvent): void {
    const { stored, namespace, tell } = this.#ports;
    const target = { namespace, name: AUTHORITY_STATE_NAME };
    tell({ kind: 'ConfigMap', metadata: stored.get(keyOf(target))?.metadata ?? target }, event);
  }

  /** Tells that the phases were lost and found again. */
  rebuilt(): void {
    const note =
      'The phases of the generations were lost and are found again from the Secret and the ledger; whatever was tainted by hand is taken from ConfigMap agent-trust-authority';
    this.tell({ reason: 'AuthorityStateRebuilt', note });
    this.#ports.observer.acted('rebuild');
  }

  /** Tells what of an intent cannot be read. */
  problems(found: IntentRecord | undefined): void {
    const problems = found?.problems ?? [];
    const said = problems.join('\n');
    if (said === this.#problems) return;
    this.#problems = said;
    if (found === undefined || problems.length === 0) return;
    this.#ports.tell({ kind: 'ConfigMap', metadata: found.metadata }, intentEvent(problems));
  }

  /** Tells which namespaces are waited for no more. */
  excluded(generations: readonly GenerationFacts[], excluded: Lacking): void {
    const news = [...excluded].filter(([namespace]) => !this.#excluded.has(namespace));
    this.#excluded = new Set(excluded.keys());
    const next = generations.find(({ phase }) => phase === 'prepared');
    if (news.length > 0 && next !== undefined) this.tell(exclusionEvent(next.id, new Map(news)));
  }

  /** Tells why an authority that is given is refused, and gives what the state says of it: a sentence. */
  given(
    given: GivenAuthority | undefined,
    situation: GivenSituation,
    generations: readonly GenerationFacts[],
  ): string | undefined {
    const { given: source, namespace, tell } = this.#ports;
    if (source === undefined || given === undefined) return undefined;
    const said = given.kind === 'refuse' ? `${given.reason}: ${given.message}` : '';
    if (given.kind === 'refuse' && said !== this.#refusal)
      tell({ kind: 'Secret', metadata: source.metadata }, givenEvent(given));
    this.#refusal = said;
    return `Secret ${namespace}/${source.secretName} ${givenSays(given, usableGiven(situation), generations)}.`;
  }
}
