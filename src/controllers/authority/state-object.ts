/**
 * ConfigMap `agent-trust-authority-state`: what the operator remembers of each generation, and what it says to people. No
 * key is in it. Written by the leader alone; its epoch stands on it, so that an older leader's write is a conflict.
 */

import { ANNOTATION_LEASE_EPOCH, AUTHORITY_STATE_NAME, LABEL_MANAGED } from '../../api/group.ts';
import type { GenerationPhase, GenerationState } from '../../domain/authority/facts.ts';
import { stateOf } from '../../domain/authority/states.ts';
import { withoutCopy } from '../../kube/carry-over.ts';
import { keptMetadata, type ObjectMeta } from '../../kube/object.ts';
import type { ConfigMap } from '../bundle/bundle-record.ts';
import { type RefusedKeys, readRefused, refusedText } from './refused-keys.ts';

/** Texts by key: `generations` and `refused` are JSON, all others are for people and are never read back. */
export type StateTexts = Readonly<Record<string, string>>;

/** What is kept of the ConfigMap. */
export interface StateRecord {
  readonly metadata: ObjectMeta;
  readonly immutable: boolean;
  readonly texts: StateTexts;
  /** Undefined when they cannot be read. */
  readonly states: readonly GenerationState[] | undefined;
  readonly refused: RefusedKeys;
}

const GENERATIONS = 'generations';
const REFUSED = 'refused';
const PHASES: readonly GenerationPhase[] = ['prepared', 'signing', 'retiring'];
const INSTANTS = [
  ['seenSince', 'seenSinceMs'],
  ['activatedAt', 'activatedAtMs'],
  ['retiringSince', 'retiringSinceMs'],
  ['taintedAt', 'taintedAtMs'],
  ['reissuedAt', 'reissuedAtMs'],
] as const;

/** Projects the ConfigMap. */
export function stateRecord({ metadata, immutable, data = {} }: ConfigMap): StateRecord {
  return {
    metadata: withoutCopy(keptMetadata(metadata)),
    immutable: immutable === true,
    texts: data,
    states: readStates(data[GENERATIONS] ?? ''),
    refused: readRefused(data[REFUSED] ?? ''),
  };
}

/** The ConfigMap to write. */
export function stateConfigMap(namespace: string, epoch: string, texts: StateTexts): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: AUTHORITY_STATE_NAME,
      namespace,
      labels: { [LABEL_MANAGED]: 'true' },
      annotations: { [ANNOTATION_LEASE_EPOCH]: epoch },
    },
    data: texts,
  };
}

/** Whether it was written in that leader's term. */
export function isWrittenBy(epoch: string, { annotations }: ObjectMeta): boolean {
  return annotations?.[ANNOTATION_LEASE_EPOCH] === epoch;
}

/** Whether there is nothing to write: the same texts and no others, in that term, and it can be written next time. */
export function saysExactly(
  { metadata, immutable, texts }: StateRecord,
  wanted: StateTexts,
  epoch: string,
): boolean {
  const names = Object.keys(wanted);
  const isSame =
    Object.keys(texts).length === names.length && names.every((name) => texts[name] === wanted[name]);
  return isSame && !immutable && isWrittenBy(epoch, metadata);
}

/** The states as JSON, an object for each generation by its id; and the keys that are refused, if there are any. */
export function stateTexts(states: readonly GenerationState[], refused: RefusedKeys = new Map()): StateTexts {
  const entries = states.map((state) => {
    const instants = INSTANTS.flatMap(([name, key]) => {
      const atMs = state[key];
      return atMs === undefined ? [] : [[name, new Date(atMs).toISOString()] as const];
    });
    const { phase, preparedAtMs, reissueTotal } = state;
    return [
      state.id,
      {
        phase,
        preparedAt: new Date(preparedAtMs).toISOString(),
        ...Object.fromEntries(instants),
        ...(reissueTotal === undefined ? {} : { reissueTotal }),
      },
    ] as const;
  });
  const refusals = refusedText(refused);
  return {
    [GENERATIONS]: `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`,
    ...(refusals === '' ? {} : { [REFUSED]: refusals }),
  };
}

function readStates(text: string): readonly GenerationState[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const states = Object.entries(value).map(([id, entry]) => readState(id, entry));
  return states.every((state) => state !== undefined) ? states : undefined;
}

function readState(id: string, value: unknown): GenerationState | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const entry = value as Readonly<Record<string, unknown>>;
  const phase = PHASES.find((each) => each === entry['phase']);
  const preparedAtMs = instantOf(entry['preparedAt']);
  const { reissueTotal } = entry as { readonly reissueTotal?: unknown };
  const instants = INSTANTS.map(([name, key]) => [key, instantOf(entry[name])] as const);
  const isRead = instants.every(([, atMs]) => !Number.isNaN(atMs));
  const isCounted = reissueTotal === undefined || Number.isInteger(reissueTotal);
  if (phase === undefined || preparedAtMs === undefined || Number.isNaN(preparedAtMs)) return undefined;
  if (!isRead || !isCounted) return undefined;
  const rest = { ...Object.fromEntries(instants), reissueTotal: reissueTotal as number | undefined };
  return stateOf({ id, phase, preparedAtMs, ...rest });
}

/** Undefined when there is none, NaN for what is no instant. */
function instantOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? Date.parse(value) : Number.NaN;
}
