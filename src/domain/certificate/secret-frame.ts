/** What every Secret of ours must be around its content, whatever that is: type, data keys, labels, annotations, owner. */

import type { OwnerReferenceFacts, StoredSecretFacts } from './facts.ts';
import { formerKeys, isStaleRecord, TEMPLATE_ANNOTATION } from './secret-template.ts';

/** A kind of Secret. */
export interface SecretKind {
  readonly type: string;
  /** The keys of its data, and no others. */
  readonly dataKeys: readonly string[];
}

/** What the Secret of one identity must be. */
export interface SecretFrame {
  readonly namespace: string;
  readonly name: string;
  /** Must be there with these values; others stay, but for those that the template no longer has. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReference: OwnerReferenceFacts;
}

/** One thing that was wrong; `message` is a sentence for an event, without full stop. */
export interface FrameFinding {
  readonly what: 'SecretType' | 'Immutable' | 'UnknownKeys' | 'Labels' | 'Annotations' | 'OwnerReference';
  readonly message: string;
}

const SHOWN_NAMES = 3;

/** What is wrong with it that a write cannot change, in a fixed order: it must be deleted and made anew. */
export function kindFindings(
  { type: wanted }: SecretKind,
  { type, immutable }: StoredSecretFacts,
): readonly FrameFinding[] {
  return found([
    ['SecretType', type === wanted ? undefined : `the Secret was not of type ${wanted}`],
    ['Immutable', immutable ? 'the Secret was immutable' : undefined],
  ]);
}

/** What else is wrong with it, in a fixed order. */
export function frameFindings(
  { dataKeys }: SecretKind,
  frame: SecretFrame,
  secret: StoredSecretFacts,
): readonly FrameFinding[] {
  return found([
    ['UnknownKeys', unknownKeys(dataKeys, secret)],
    ['Labels', changedEntries('label', frame.labels, secret.labels)],
    ['Annotations', changedEntries('annotation', frame.annotations, secret.annotations)],
    ...leftovers(frame, secret),
    ['OwnerReference', ownerReference(frame, secret)],
  ]);
}

type Finding = readonly [FrameFinding['what'], string | undefined];

function found(checks: readonly Finding[]): readonly FrameFinding[] {
  return checks.flatMap(([what, message]) => (message === undefined ? [] : [{ what, message }]));
}

function unknownKeys(known: readonly string[], { dataKeys }: StoredSecretFacts): string | undefined {
  const names = dataKeys.filter((key) => !known.includes(key)).toSorted();
  return names.length === 0 ? undefined : `extra data key ${shortList(names)}`;
}

function changedEntries(
  noun: string,
  wanted: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>>,
): string | undefined {
  const names = Object.keys(wanted).filter((name) => present[name] !== wanted[name]);
  return names.length === 0 ? undefined : `${noun} ${shortList(names.toSorted())} was missing or changed`;
}

/** What the template had before, and the record of it. */
function leftovers(frame: SecretFrame, secret: StoredSecretFacts): readonly Finding[] {
  const { labels, annotations } = formerKeys(frame, secret);
  const said = (noun: string, names: readonly string[]): string | undefined =>
    names.length === 0 ? undefined : `${noun} ${shortList(names)} is no longer in the template`;
  const isAlone = labels.length + annotations.length === 0 && isStaleRecord(frame, secret);
  return [
    ['Labels', said('label', labels)],
    ['Annotations', said('annotation', annotations)],
    [
      'Annotations',
      isAlone ? `annotation ${TEMPLATE_ANNOTATION} was for a template that is gone` : undefined,
    ],
  ];
}

function ownerReference(
  { ownerReference: wanted }: SecretFrame,
  { ownerReferences }: StoredSecretFacts,
): string | undefined {
  const isThere = ownerReferences.some(
    ({ apiVersion, kind, name, uid }) =>
      uid === wanted.uid && name === wanted.name && kind === wanted.kind && apiVersion === wanted.apiVersion,
  );
  return isThere ? undefined : 'the owner reference to the AgentIdentity was missing';
}

/** Bounded, since anybody who may write the Secret decides how many names there are. */
function shortList(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).join(', ');
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown;
}
